-- Settles a request when its real cost is known: charges the difference to what check.lua charged, or gives it back, at
-- all limits of the call and as of the time of that check. A request is settled once: a second call with the same
-- request id does nothing.
--
-- KEYS[1..]  state       string: the packed state of each subject, as in check.lua; usually there is one
-- KEYS[..]   settled     sorted set: the ids of settled requests, scored by the time at which they are forgotten
-- KEYS[..]   set         as in check.lua: one for each sliding_log or concurrency limit, in order
-- ARGV[1]    now_ms      milliseconds since the epoch; 0 = use the server's TIME
-- ARGV[2]    charged_at  now_ms in the reply of the check that allowed the request, or earlier; from 1
-- ARGV[3]    request     the request's id: 1 to 200 characters without space
-- ARGV[4]    memory_ms   milliseconds for which the id is remembered, 1 or more
-- ARGV[5]    more        units to charge; 0 if ARGV[6] is not
-- ARGV[6]    less        units to give back, at most what the check charged; 0 if ARGV[5] is not
-- ARGV[7]    limits      number of limits that follow, in the format of check.lua; with several states one for each
-- returns    settled     1; 0 = it was settled before, and nothing has changed
--            units       for each limit: the whole units that were charged or given back
-- example    redis-cli --eval lua/settle.lua 'sg:1:{ip:203.0.113.7}' 'sg:1:{ip:203.0.113.7}:settled' , 0 1 request-1 60000 0 3 1 burst token_bucket 10000 20 1 500
--
-- The file has five sections: arguments, writes, packed state, sorted sets, settle once.
--
-- A charge is not checked against the limit. It may overdraw it: the limit then has 0 remaining and denies requests until
-- it has recovered. What a limit holds stays below 2^53 (token_bucket: in fractions; sliding_window: units times the
-- window). Units beyond that are not charged.
--
-- token_bucket    The debt grows or shrinks. This is exact if the bucket was not full at any time since the check. If it
--                 was, a charge is stricter than the real cost at the check would have been, and giving back is more
--                 generous: up to `less` units can pass beyond what the burst and the refill of a time span allow.
-- fixed_window    The window of charged_at, if the state still has it.
-- sliding_window  The window of charged_at, if it is the current or the previous one.
-- sliding_log     More: adds an entry, no earlier than the newest one. Less: takes units from the oldest entries from
--                 charged_at on. The request's own entry is among them, because `now` in check.lua may have been ahead
--                 of charged_at but not behind it. Every window that ends now and contains an older entry contains the
--                 newer ones, too. So to take units from an entry that is no newer than the request's own never allows
--                 more than to take them from its own.
-- concurrency     Nothing: leases have no cost.
--
-- Nothing is given back if the charge has left the window or the state. A charge to an expired bucket finds it full and
-- its time lost, so the bucket is charged as of now. `limits` may have changed since the check: a bucket in the state
-- retains the refill and the fractions that it has there. Limits that the call does not name are not changed. A state of
-- 128 limits takes no further one.
--
-- As in check.lua, a key expires 1,000 ms after its state is full, and all numbers are integers below 2^53, which a
-- double holds exactly. Everything is read before anything is written: after an error the request is unsettled and
-- nothing has changed.

local TWO_53 = 9007199254740992

-- As in check.lua.
local GRACE_MS, MAX_LIMITS = 1000, 128

local call, concat, find, format, gmatch = redis.call, table.concat, string.find, string.format, string.gmatch

-- Arguments -------------------------------------------------------------------------------------------

-- The first problem with the arguments.
local problem

local function expected(position, what, wanted)
  problem = problem or format('ARGV[%d] (%s): expected %s, found %s', position, what, wanted, ARGV[position] or 'nothing')
end

local function integer(position, what, least)
  local text = ARGV[position]
  local number = text and find(text, '^%d+$') and tonumber(text)
  if number and number >= least and number < TWO_53 then return number end
  expected(position, what, 'an integer from ' .. least)
  return least
end

-- How many numbers an algorithm has in the packed state; 0 = it has a sorted set.
local NUMBERS = { token_bucket = 1, fixed_window = 1, sliding_window = 2, sliding_log = 0, concurrency = 0 }

-- Reads the limit that starts at ARGV[at]. Returns it and the position of the next one.
local function read_limit(at)
  local name, algorithm, window = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local limit, size = { algorithm = algorithm, window = window }, 4
  if not name or not find(name, '^[%w_.-]+$') then expected(at, 'name', 'letters, digits, _ - .') end
  if not NUMBERS[algorithm] then expected(at + 1, 'algorithm', 'the name of an algorithm') end
  if algorithm ~= 'fixed_window' or window ~= 'month' then
    limit.window = integer(at + 2, algorithm == 'concurrency' and 'lease_ms' or 'window_ms', 1)
  end
  if algorithm == 'token_bucket' then
    local burst = integer(at + 3, 'burst', 1)
    limit.refill, limit.fractions, size = integer(at + 4, 'refill', 1), integer(at + 5, 'fractions', 1), 6
    if burst * limit.fractions >= TWO_53 then expected(at + 3, 'burst', 'less than 2^53 fractions') end
  else
    local units = integer(at + 3, 'limit', 1)
    if algorithm == 'sliding_window' and units * limit.window >= TWO_53 then
      expected(at + 3, 'limit', 'less than 2^53 when multiplied by its window')
    end
  end
  limit.words = concat(ARGV, ' ', at, math.min(at + size - 1, #ARGV))
  limit.id = concat(ARGV, ' ', at, math.min(at + 2, #ARGV))
  return limit, at + size
end

local now_ms = integer(1, 'now_ms', 0)
local charged_at = integer(2, 'charged_at', 1)
local request = ARGV[3]
if not request or #request > 200 or not find(request, '^[!-~]+$') then
  expected(3, 'request', '1 to 200 characters without space')
end
local memory_ms = integer(4, 'memory_ms', 1)
local more, less = integer(5, 'more', 0), integer(6, 'less', 0)
if more > 0 and less > 0 then expected(6, 'less', '0 if more is not 0') end

-- Each state: the number of its limits.
local states = {}
if find(ARGV[7] or '', ',', 1, true) then
  for word in gmatch(ARGV[7] .. ',', '([^,]*),') do
    local count = find(word, '^%d+$') and tonumber(word) or 0
    if count < 1 or count >= TWO_53 then expected(7, 'limits', 'integers from 1, joined by commas') end
    states[#states + 1] = { count = count }
  end
else
  states[1] = { count = integer(7, 'limits', 1) }
end

local limits, at, set_count = {}, 8, 0
for i, own in ipairs(states) do
  own.key = KEYS[i]
  for _ = 1, own.count do
    if problem then break end
    local limit
    limit, at = read_limit(at)
    limit.state = own
    limits[#limits + 1] = limit
    if NUMBERS[limit.algorithm] == 0 then
      set_count = set_count + 1
      limit.key = KEYS[#states + 1 + set_count]
    else
      own.is_packed = true
    end
  end
  for j = 1, i - 1 do
    if own.key and own.key == KEYS[j] then
      problem = problem or format('expected a key for each state, found KEYS[%d] twice', j)
    end
  end
end
if not problem and #ARGV >= at then problem = format('expected %d arguments, found %d', at - 1, #ARGV) end
if not problem and #KEYS ~= #states + 1 + set_count then
  problem = format('these limits need %d keys, found %d', #states + 1 + set_count, #KEYS)
end
local settled = KEYS[#states + 1]
if problem then return redis.error_reply('ERR settle.lua: ' .. problem) end

if now_ms == 0 then
  local time = call('TIME')
  local micros = tonumber(time[2])
  now_ms = tonumber(time[1]) * 1000 + (micros - micros % 1000) / 1000
end

local reply = { 1 }
for i = 1, #limits do reply[i + 1] = 0 end

-- Writes ----------------------------------------------------------------------------------------------

-- Commands in order. They run when everything has been read.
local writes = {}

local function write(...) writes[#writes + 1] = { ... } end

-- Lua passes at most a few thousand values to a function. 1,000 are whole pairs of score and member.
local function write_in_chunks(command, key, values)
  for from = 1, #values, 1000 do
    write(command, key, unpack(values, from, math.min(from + 999, #values)))
  end
end

-- Lets a key that expires live for at least `ms` from now.
local function extend_expiry(key, ms)
  if ms > call('PTTL', key) then write('PEXPIRE', key, format('%.0f', ms)) end
end

-- Packed state: `LIMITS|TIME NUMBERS`, the numbers as of TIME (see check.lua) ------------------------------

local function floor_div(a, b) return (a - a % b) / b end
local function ceil_div(a, b) return floor_div(a, b) + (a % b > 0 and 1 or 0) end

-- Returns the time at which a calendar month (UTC) starts. Month 0 is January 1970. See check.lua.
local function start_of_month(month)
  local in_year = month % 12
  local year = 1970 + (month - in_year) / 12
  local leap = in_year < 2 and year - 1 or year
  local leap_days = floor_div(leap, 4) - floor_div(leap, 100) + floor_div(leap, 400) - 477
  local days = floor_div(367 * in_year + 5, 12) - (in_year < 2 and 0 or 2)
  return ((year - 1970) * 365 + leap_days + days) * 86400000
end

-- Returns the number of the window that contains `time`, counted from the epoch.
local function window_of(window, time)
  if window ~= 'month' then return floor_div(time, window) end
  -- A guess by the mean length of a month is at most one month off.
  local month = floor_div(time, 2629746000)
  while start_of_month(month) <= time do month = month + 1 end
  return month - 1
end

local function start_of(window, index)
  return window == 'month' and start_of_month(index) or index * window
end

-- Returns a packed limit. `number` returns its numbers, one per call.
local function new_entry(algorithm, window, refill, fractions, number)
  if algorithm == 'token_bucket' then return { refill = refill, fractions = fractions, debt = number() } end
  return { window = window, used = number(), previous = algorithm == 'sliding_window' and number() or nil }
end

-- Reads a state: its words and its time, and its packed limits in order, and by name, algorithm and window.
local function read(own)
  own.text = own.is_packed and call('GET', own.key)
  own.entries, own.known = {}, {}
  if not own.text then return end
  local words, numbers = string.match(own.text, '^(.*)|(.*)$')
  local word, digits = gmatch(words, '%S+'), gmatch(numbers, '%d+')
  local function number() return tonumber(digits()) end
  own.words, own.time = words, number()
  for name in word do
    local algorithm, window, _, refill, fractions = word(), word(), word(), nil, nil
    if algorithm == 'token_bucket' then refill, fractions = tonumber(word()), tonumber(word()) end
    if NUMBERS[algorithm] > 0 then
      local entry = new_entry(algorithm, tonumber(window) or window, refill, fractions, number)
      own.entries[#own.entries + 1] = entry
      own.known[name .. ' ' .. algorithm .. ' ' .. window] = entry
    end
  end
end

-- Advances a state. It is behind `later` only if it has lost the charge or never had it.
local function advance(own, later)
  for _, entry in ipairs(own.entries) do
    if entry.debt then
      entry.debt = math.max(entry.debt - (later - own.time) * entry.refill, 0)
    else
      local passed = window_of(entry.window, later) - window_of(entry.window, own.time)
      if passed > 0 then
        if entry.previous then entry.previous = passed == 1 and entry.used or 0 end
        entry.used = 0
      end
    end
  end
  own.time = later
end

-- Returns the name of the number that holds what was charged at charged_at, how much of it is a unit, and its maximum.
local function charged_number(entry, time)
  if entry.debt then return 'debt', entry.fractions, TWO_53 - 1 end
  local passed = window_of(entry.window, time) - window_of(entry.window, charged_at)
  if passed == 0 then return 'used', 1, entry.previous and floor_div(TWO_53 - 1, entry.window) or TWO_53 - 1 end
  if passed == 1 and entry.previous then return 'previous', 1, floor_div(TWO_53 - 1, entry.window) end
end

-- Charges `more` or gives back `less`. Returns the whole units.
local function settle(entry, time)
  local name, unit, most = charged_number(entry, time)
  if not name then return 0 end
  local before = entry[name]
  if more > 0 then
    local units = math.min(more, floor_div(math.max(most - before, 0), unit))
    entry[name] = before + units * unit
    return units
  end
  entry[name] = math.max(before - less * unit, 0)
  return floor_div(before - entry[name], unit)
end

-- Returns the time at which a limit is full, or 0 if its counters are.
local function full_at(entry, time)
  if entry.debt then return time + ceil_div(entry.debt, entry.refill) end
  local current = window_of(entry.window, time)
  if entry.used > 0 then return start_of(entry.window, current + (entry.previous and 2 or 1)) end
  return entry.previous and entry.previous > 0 and start_of(entry.window, current + 1) or 0
end

local function save(own)
  local numbers, latest = { own.words .. '|' .. format('%.0f', own.time) }, now_ms
  for _, entry in ipairs(own.entries) do
    numbers[#numbers + 1] = format('%.0f', entry.debt or entry.used)
    numbers[#numbers + 1] = entry.previous and format('%.0f', entry.previous)
    latest = math.max(latest, full_at(entry, own.time))
  end
  local text, ms = concat(numbers, ' '), latest - now_ms + GRACE_MS
  if more > 0 and (not own.text or ms > call('PTTL', own.key)) then
    write('SET', own.key, text, 'PX', format('%.0f', ms))
  else
    write('SET', own.key, text, 'KEEPTTL')
  end
end

for i, own in ipairs(states) do
  read(own)
  if more > 0 then
    if not own.text then
      own.words, own.time = '', math.max(now_ms, charged_at)
    elseif charged_at > own.time then
      advance(own, charged_at)
    end
  end
  -- A state from before charged_at does not have the charge: nothing is given back to it.
  if own.time and charged_at <= own.time then
    local changed = false
    for j, limit in ipairs(limits) do
      local entry = own.known[limit.id]
      if limit.state == own and not limit.key and (entry or more > 0) then
        local is_new = not entry
        entry = entry or new_entry(limit.algorithm, limit.window, limit.refill, limit.fractions, function() return 0 end)
        local units = settle(entry, own.time)
        if is_new and units > 0 then
          if #own.entries >= MAX_LIMITS then
            return redis.error_reply(format('ERR settle.lua: KEYS[%d] (state): expected at most %d limits, found %d '
              .. '(name limits that it has, or reset the subject)', i, MAX_LIMITS, #own.entries + 1))
          end
          own.entries[#own.entries + 1], own.known[limit.id] = entry, entry
          own.words = own.words == '' and limit.words or own.words .. ' ' .. limit.words
        end
        reply[j + 1] = units
        -- To give back less than a unit changes the debt of a bucket, too.
        changed = changed or units > 0 or less > 0
      end
    end
    if changed then save(own) end
  end
end

-- Sorted sets: a log's members are `laps offset:cost` without the space, without a gap (see check.lua) -------

local function decode(member, score)
  local laps, offset, cost = string.match(member, '^(......)(%d+):(%d+)$')
  return { laps = laps + 0, offset = offset + 0, cost = cost + 0, member = member, time = tonumber(score) }
end

-- An offset below 0 borrows from the laps.
local function encode(laps, offset, cost)
  if offset < 0 then laps, offset = laps - 1, offset + TWO_53 end
  return format('%06.0f%016.0f:%.0f', laps, offset, cost)
end

local function charge_log(key, window, newest)
  local at, laps, offset, used = charged_at, 0, 0, 0
  if newest then
    at = math.max(charged_at, newest.time)
    -- The number after the newest entry, calculated without a sum above 2^53.
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
  extend_expiry(key, at + window - now_ms + GRACE_MS)
  return units
end

-- The newest entry stays, even with 0 units: its time is that of the log, which must not go backwards.
local function give_back_log(key, newest)
  local found = call('ZRANGEBYSCORE', key, format('%.0f', charged_at), '+inf', 'WITHSCORES')
  local given, retained, added, removed = 0, {}, {}, {}
  for i = 1, #found, 2 do
    local entry = decode(found[i], found[i + 1])
    local units = math.min(less - given, entry.cost)
    local rest = entry.cost - units
    if rest > 0 or entry.member == newest.member then
      local member = encode(entry.laps, entry.offset - given, rest)
      added[#added + 1] = format('%.0f', entry.time)
      added[#added + 1] = member
      retained[member] = true
    end
    given = given + units
  end
  if given == 0 then return 0 end
  for i = 1, #found, 2 do
    if not retained[found[i]] then removed[#removed + 1] = found[i] end
  end
  -- In this order the set is never empty: an empty set would lose its expiry.
  write_in_chunks('ZADD', key, added)
  write_in_chunks('ZREM', key, removed)
  return given
end

for i, limit in ipairs(limits) do
  if limit.algorithm == 'sliding_log' then
    local newest = call('ZRANGE', limit.key, -1, -1, 'WITHSCORES')
    newest = newest[1] and decode(newest[1], newest[2])
    -- A charge that has left the window has no effect any more. Its entry may be gone, and the entries of other
    -- requests must not change.
    if charged_at > math.max(now_ms, newest and newest.time or 0) - limit.window then
      if more > 0 then
        reply[i + 1] = charge_log(limit.key, limit.window, newest)
      elseif less > 0 and newest then
        reply[i + 1] = give_back_log(limit.key, newest)
      end
    end
  end
end

-- Settle once -----------------------------------------------------------------------------------------

write('ZREMRANGEBYSCORE', settled, '-inf', format('%.0f', now_ms))
extend_expiry(settled, memory_ms)

-- The first write. If it finds the id, it is the only one; so looking the id up needs no command of its own.
if call('ZADD', settled, 'NX', format('%.0f', now_ms + memory_ms), request) == 0 then
  for i = 1, #reply do reply[i] = 0 end
  return reply
end
for _, command in ipairs(writes) do call(unpack(command)) end
return reply
