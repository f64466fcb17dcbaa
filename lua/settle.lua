-- Settles a request whose real cost is known only now: charges what it cost more, or gives back what it cost
-- less than check.lua charged, at all limits of the call and as of the time of that check. A request is settled
-- once: a call that comes again with the same request id does nothing.
--
-- KEYS[1]    state       string: the packed state of the subject, as check.lua keeps it
-- KEYS[2]    settled     sorted set: the ids of requests that are settled, until when they are remembered
-- KEYS[3..]  set         as KEYS[2..] of check.lua: one for each sliding_log or concurrency limit, in order
-- ARGV[1]    now_ms      milliseconds since the epoch; 0 = take the server's TIME
-- ARGV[2]    charged_at  now_ms of the check that admitted the request, or earlier: from 1
-- ARGV[3]    request     the request's id: 1 to 200 characters without space
-- ARGV[4]    memory_ms   how long the id is remembered, 1 or more
-- ARGV[5]    more        units to charge; 0 if ARGV[6] is not
-- ARGV[6]    less        units to give back, no more than the check charged; 0 if ARGV[5] is not
-- ARGV[7]    limits      how many limits follow, each spelled as for check.lua
-- returns    settled     1; 0 = it was settled before, and nothing has changed
--            units       for each limit: whole units that were really charged or given back
-- example    redis-cli --eval lua/settle.lua 'sg:1:{ip:203.0.113.7}' 'sg:1:{ip:203.0.113.7}:settled' , 0 1 request-1 60000 0 3 1 burst token_bucket 10000 20 1 500
--
-- Charging asks nobody: it may overdraw a limit, which then has 0 remaining and lets others wait until it has
-- recovered. What a limit holds stays below 2^53 (bucket: fractions; sliding_window: units times the window);
-- units beyond are not charged.
--
-- token_bucket    The debt grows or shrinks. Exact as long as the bucket would not have been full meanwhile; if it
--                 would, charging is stricter than the real cost at once would have been, and giving back is more
--                 generous: up to `less` units can pass beyond what the burst and the refill of a span allow.
-- fixed_window    The window of charged_at, if the state still has it.
-- sliding_window  Likewise: the current or the previous window.
-- sliding_log     More: one more entry, never before the newest one. Less: units of the oldest entries from
--                 charged_at on. The request's own is none of those before, as time may have been ahead but never
--                 behind, and windows end now: one that holds an older entry holds the newer ones too. So what is
--                 taken from an entry no newer than the request's own never lets through more than its own would.
-- concurrency     Nothing: leases have no cost.
--
-- Giving back finds nothing where the charge has left the window or the state. Charging more finds an expired
-- bucket full and its time gone: it is charged now. `limits` may have changed since the check; a bucket that the
-- state knows keeps the refill and the fractions it has there, and limits that are not named keep their numbers.
-- A state of 128 limits takes no more.
--
-- What is charged lives 1,000 ms longer than it matters, as in check.lua. Everything is read before anything is
-- written: an error leaves the request unsettled, and all as it was.
--
-- All numbers are integers below 2^53, which a double holds exactly.

local TWO_53 = 9007199254740992

-- As in check.lua.
local GRACE, MOST = 1000, 128

local call, concat, find, format, gmatch = redis.call, table.concat, string.find, string.format, string.gmatch

-- Arguments -------------------------------------------------------------------------------------------

-- The first thing that is wrong with the arguments.
local problem

local function expect(position, what, wanted)
  problem = problem or format('ERR settle.lua: ARGV[%d] (%s): expected %s, found %s',
    position, what, wanted, ARGV[position] or 'nothing')
end

local function integer(position, what, least)
  local text = ARGV[position]
  local number = text and find(text, '^%d+$') and tonumber(text)
  if number and number >= least and number < TWO_53 then return number end
  expect(position, what, format('an integer from %d', least))
  return least
end

-- Reads the limit whose first word is ARGV[at], and returns it with the place of the next one.
local function read_limit(at)
  local name, algorithm, window = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local limit, size = { algorithm = algorithm }, 4
  if not name or not find(name, '^[%w_.-]+$') then expect(at, 'name', 'letters, digits, _ - .') end
  if algorithm == 'token_bucket' then
    integer(at + 2, 'window_ms', 1)
    local burst = integer(at + 3, 'burst', 1)
    limit.refill, limit.fractions, size = integer(at + 4, 'refill', 1), integer(at + 5, 'fractions', 1), 6
    if burst * limit.fractions >= TWO_53 then expect(at + 3, 'burst', 'less than 2^53 fractions') end
  elseif algorithm == 'fixed_window' and window == 'month' then
    limit.window = window
    integer(at + 3, 'limit', 1)
  elseif algorithm == 'fixed_window' or algorithm == 'sliding_window' or algorithm == 'sliding_log' then
    limit.window = integer(at + 2, 'window_ms', 1)
    local units = integer(at + 3, 'limit', 1)
    if algorithm == 'sliding_window' and units * limit.window >= TWO_53 then
      expect(at + 3, 'limit', 'less than 2^53 when multiplied by its window')
    end
  elseif algorithm == 'concurrency' then
    integer(at + 2, 'lease_ms', 1)
    integer(at + 3, 'limit', 1)
  else
    expect(at + 1, 'algorithm', 'the name of one')
    return limit, at
  end
  limit.words = concat(ARGV, ' ', at, math.min(at + size - 1, #ARGV))
  limit.id = concat(ARGV, ' ', at, math.min(at + 2, #ARGV))
  return limit, at + size
end

local now_ms = integer(1, 'now_ms', 0)
local charged_at = integer(2, 'charged_at', 1)
local request = ARGV[3]
if not request or #request > 200 or not find(request, '^[!-~]+$') then
  expect(3, 'request', '1 to 200 characters without space')
end
local memory_ms = integer(4, 'memory_ms', 1)
local more, less = integer(5, 'more', 0), integer(6, 'less', 0)
if more > 0 and less > 0 then expect(6, 'less', '0 beside more') end

local limits, at, sets, packed = {}, 8, 0, false
for i = 1, integer(7, 'limits', 1) do
  if problem then break end
  limits[i], at = read_limit(at)
  if limits[i].algorithm == 'sliding_log' or limits[i].algorithm == 'concurrency' then
    sets = sets + 1
    limits[i].key = KEYS[2 + sets]
  else
    packed = true
  end
end
if not problem and #ARGV >= at then
  problem = format('ERR settle.lua: expected %d arguments, found %d', at - 1, #ARGV)
end
if not problem and #KEYS ~= 2 + sets then
  problem = format('ERR settle.lua: these limits need %d keys, found %d', 2 + sets, #KEYS)
end
if problem then return redis.error_reply(problem) end

if now_ms == 0 then
  local time = call('TIME')
  local micros = tonumber(time[2])
  now_ms = tonumber(time[1]) * 1000 + (micros - micros % 1000) / 1000
end

local reply = { 1 }
for i = 1, #limits do reply[i + 1] = 0 end

-- What is to be written ----------------------------------------------------------------------------------

-- Commands in order, which run when everything has been read.
local writes = {}

local function write(...) writes[#writes + 1] = { ... } end

-- Keeps a key that expires from doing so within the next `ms`.
local function live(key, ms)
  if ms > call('PTTL', key) then write('PEXPIRE', key, format('%.0f', ms)) end
end

-- Windows ---------------------------------------------------------------------------------------------

local function floor_div(a, b) return (a - a % b) / b end
local function ceil_div(a, b) return floor_div(a, b) + (a % b > 0 and 1 or 0) end

-- When a calendar month (UTC) begins: 0 is January 1970.
local function start_of_month(index)
  local DAYS_BEFORE = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 }
  local month = index % 12
  local year = 1970 + (index - month) / 12
  local last = month >= 2 and year or year - 1
  local leap_days = floor_div(last, 4) - floor_div(last, 100) + floor_div(last, 400) - 477
  return ((year - 1970) * 365 + leap_days + DAYS_BEFORE[month + 1]) * 86400000
end

-- Which window holds `time`, counted from the epoch.
local function window_of(window, time)
  if window ~= 'month' then return floor_div(time, window) end
  -- A guess by the mean month, which is off by one at most.
  local index = floor_div(time, 2629746000)
  if start_of_month(index) > time then return index - 1 end
  if start_of_month(index + 1) <= time then return index + 1 end
  return index
end

local function start_of(window, index)
  if window == 'month' then return start_of_month(index) end
  return index * window
end

-- The packed state: `LIMITS|TIME NUMBERS`, where the numbers hold at TIME (see check.lua) -------------------

local state = packed and call('GET', KEYS[1])
local words, time = nil, nil
-- The packed limits of the state, in order, and by their identity.
local entries, known = {}, {}

if state then
  local numbers
  words, numbers = string.match(state, '^(.*)|(.*)$')
  local number, word = gmatch(numbers, '%d+'), gmatch(words, '%S+')
  time = tonumber(number())
  for name in word do
    local algorithm, window = word(), word()
    local entry = { algorithm = algorithm, window = tonumber(window) or window }
    if algorithm == 'token_bucket' then
      word()
      entry.refill, entry.fractions = tonumber(word()), tonumber(word())
      entry.debt = tonumber(number())
    else
      word()
      if algorithm == 'fixed_window' or algorithm == 'sliding_window' then entry.used = tonumber(number()) end
      if algorithm == 'sliding_window' then entry.previous = tonumber(number()) end
    end
    if entry.debt or entry.used then
      entries[#entries + 1] = entry
      known[name .. ' ' .. algorithm .. ' ' .. window] = entry
    end
  end
end

-- Brings the state to a later time. Only a state that has lost the charge, or never had it, is behind it.
local function advance(later)
  for _, entry in ipairs(entries) do
    if entry.debt then
      entry.debt = math.max(entry.debt - (later - time) * entry.refill, 0)
    else
      local passed = window_of(entry.window, later) - window_of(entry.window, time)
      if passed > 0 then
        if entry.previous then entry.previous = passed == 1 and entry.used or 0 end
        entry.used = 0
      end
    end
  end
  time = later
end

-- The counter that holds the units of charged_at's window: its name, and the most it may hold.
local function counter(entry)
  local passed = window_of(entry.window, time) - window_of(entry.window, charged_at)
  local most = TWO_53 - 1
  if entry.previous then most = floor_div(most, entry.window) end
  if passed == 0 then return 'used', most end
  if passed == 1 and entry.previous then return 'previous', most end
end

local function charge(entry)
  if entry.debt then
    local units = math.min(more, floor_div(TWO_53 - 1 - entry.debt, entry.fractions))
    entry.debt = entry.debt + units * entry.fractions
    return units
  end
  local name, most = counter(entry)
  if not name then return 0 end
  local units = math.min(more, math.max(most - entry[name], 0))
  entry[name] = entry[name] + units
  return units
end

local function give_back(entry)
  if entry.debt then
    local before = entry.debt
    entry.debt = math.max(before - less * entry.fractions, 0)
    return floor_div(before - entry.debt, entry.fractions)
  end
  local name = counter(entry)
  if not name then return 0 end
  local units = math.min(less, entry[name])
  entry[name] = entry[name] - units
  return units
end

-- When an entry stops to matter.
local function end_of(entry)
  if entry.debt then return time + ceil_div(entry.debt, entry.refill) end
  local current = window_of(entry.window, time)
  if entry.used > 0 then return start_of(entry.window, current + (entry.previous and 2 or 1)) end
  return entry.previous and entry.previous > 0 and start_of(entry.window, current + 1) or 0
end

local function save()
  local numbers, ends = { words .. '|' .. format('%.0f', time) }, now_ms
  for _, entry in ipairs(entries) do
    numbers[#numbers + 1] = format('%.0f', entry.debt or entry.used)
    numbers[#numbers + 1] = entry.previous and format('%.0f', entry.previous)
    ends = math.max(ends, end_of(entry))
  end
  local text = concat(numbers, ' ')
  local ms = ends - now_ms + GRACE
  if more > 0 and ms > (state and call('PTTL', KEYS[1]) or 0) then
    write('SET', KEYS[1], text, 'PX', format('%.0f', ms))
  else
    write('SET', KEYS[1], text, 'KEEPTTL')
  end
end

if packed and (state or more > 0) and more + less > 0 then
  local changed = false
  if not state then
    words, time = '', math.max(now_ms, charged_at)
  elseif more > 0 and charged_at > time then
    advance(charged_at)
  end
  for i, limit in ipairs(limits) do
    if not limit.key then
      local entry, units = known[limit.id], 0
      if more > 0 then
        local fresh = not entry
        if fresh then
          entry = { window = limit.window, refill = limit.refill, fractions = limit.fractions }
          if limit.algorithm == 'token_bucket' then entry.debt = 0 else entry.used = 0 end
          if limit.algorithm == 'sliding_window' then entry.previous = 0 end
        end
        units = charge(entry)
        if fresh and units > 0 then
          if #entries >= MOST then
            return redis.error_reply(format('ERR settle.lua: KEYS[1] (state): no room beside %d limits, %d are the most '
              .. '(name limits that are there, or reset the subject)', #entries, MOST))
          end
          entries[#entries + 1], known[limit.id] = entry, entry
          words = words == '' and limit.words or words .. ' ' .. limit.words
        end
      elseif entry and charged_at <= time then
        units = give_back(entry)
      end
      reply[i + 1] = units
      changed = changed or (more > 0 and units > 0) or (less > 0 and entry ~= nil and charged_at <= time)
    end
  end
  if changed then save() end
end

-- Sliding logs: members are `laps offset:cost`, numbered without a gap (see check.lua) ---------------------

local function decode(member, score)
  return {
    laps = tonumber(string.sub(member, 1, 6)),
    offset = tonumber(string.sub(member, 7, 22)),
    cost = tonumber(string.sub(member, 24)),
    member = member,
    time = tonumber(score),
  }
end

-- An offset below 0 borrows a lap.
local function encode(laps, offset, cost)
  if offset < 0 then laps, offset = laps - 1, offset + TWO_53 end
  return format('%06.0f%016.0f:%.0f', laps, offset, cost)
end

local function in_chunks(command, key, values)
  -- Lua passes some thousand values to a function at most; 1000 are whole pairs of score and member.
  for from = 1, #values, 1000 do
    write(command, key, unpack(values, from, math.min(from + 999, #values)))
  end
end

local function charge_log(key, window, newest)
  local at, laps, offset, used = charged_at, 0, 0, 0
  if newest then
    at = math.max(charged_at, newest.time)
    -- The next number, without passing 2^53 on the way.
    laps, offset = newest.laps + 1, newest.offset - (TWO_53 - newest.cost)
    local first = call('ZRANGEBYSCORE', key, format('(%.0f', at - window), '+inf', 'LIMIT', 0, 1)
    if first[1] then
      first = decode(first[1])
      used = newest.offset - first.offset + (newest.laps - first.laps) * TWO_53 + newest.cost
    end
  end
  local units = math.min(more, TWO_53 - 1 - used)
  if units == 0 then return 0 end
  write('ZADD', key, format('%.0f', at), encode(laps, offset, units))
  live(key, at + window - now_ms + GRACE)
  return units
end

-- The newest entry stays when it falls to 0 units: its time is the log's, which must not go backwards.
local function give_back_log(key, newest)
  local found = call('ZRANGEBYSCORE', key, format('%.0f', charged_at), '+inf', 'WITHSCORES')
  local given, keeps, added, removed = 0, {}, {}, {}
  for i = 1, #found, 2 do
    local entry = decode(found[i], found[i + 1])
    local units = math.min(less - given, entry.cost)
    local rest = entry.cost - units
    if rest > 0 or entry.member == newest.member then
      local member = encode(entry.laps, entry.offset - given, rest)
      added[#added + 1] = format('%.0f', entry.time)
      added[#added + 1] = member
      keeps[member] = true
    end
    given = given + units
  end
  if given == 0 then return 0 end
  for i = 1, #found, 2 do
    if not keeps[found[i]] then removed[#removed + 1] = found[i] end
  end
  -- In this order the set is never empty, which would cost it its time to live.
  in_chunks('ZADD', key, added)
  in_chunks('ZREM', key, removed)
  return given
end

for i, limit in ipairs(limits) do
  if limit.algorithm == 'sliding_log' then
    local newest = call('ZRANGE', limit.key, -1, -1, 'WITHSCORES')
    newest = newest[1] and decode(newest[1], newest[2])
    -- Outside the window the charge is history, and its entry may be gone: others' are not to be touched.
    if charged_at > math.max(now_ms, newest and newest.time or 0) - limit.window then
      if more > 0 then
        reply[i + 1] = charge_log(limit.key, limit.window, newest)
      elseif less > 0 and newest then
        reply[i + 1] = give_back_log(limit.key, newest)
      end
    end
  end
end

-- Once ------------------------------------------------------------------------------------------------

write('ZREMRANGEBYSCORE', KEYS[2], '-inf', format('%.0f', now_ms))
live(KEYS[2], memory_ms)

-- The first write, and the last where it finds the id there: that costs no command of its own.
if call('ZADD', KEYS[2], 'NX', format('%.0f', now_ms + memory_ms), request) == 0 then
  for i = 1, #reply do reply[i] = 0 end
  return reply
end
for _, command in ipairs(writes) do call(unpack(command)) end
return reply
