-- Judges a batch of requests against all limits of one subject, in order, all or nothing: a request that
-- one limit refuses is charged to none, and changes nothing.
--
-- KEYS[1]    state     string: the packed state of the subject
-- KEYS[2..]  set       sorted set: one for each sliding_log or concurrency limit, in the order of the limits
-- ARGV[1]    now_ms    milliseconds since the epoch; 0 = take the server's TIME
-- ARGV[2]    limits    how many limits follow; each is its name (1 or more of A-Z a-z 0-9 _ - .), then
--              sliding_log     window_ms limit                    units
--              token_bucket    window_ms burst refill fractions   units, fractions a ms, fractions a unit
--              fixed_window    window_ms|month limit              units
--              sliding_window  window_ms limit                    units
--              concurrency     lease_ms limit                     leases
--            No two limits of a call have the same name.
-- ARGV[..]   requests  how many requests follow; each is
--              cost      units, for every limit, or joined by commas for each its own; 0 = look without taking
--              lease     1 to 200 characters without space; only where a limit is a concurrency limit
-- returns    integers: for each request allowed (0|1), then for each limit
--              remaining    units: the largest cost that a further request could have now
--              retry_ms     0 = this limit admitted it, -1 = it never can, else: refused until now_ms + retry_ms
--              reset_ms     until this limit is back at its full quota if nothing more comes
--            and at the end, once, now_ms: ARGV[1], or what the server's TIME said. It is settle.lua's charged_at
-- example    redis-cli --eval lua/check.lua 'sg:1:{ip:203.0.113.7}' , 0 1 burst token_bucket 10000 20 1 500 1 1
--
-- All numbers are integers below 2^53, which a double holds exactly. For such a and b, a % b is exact: a / b
-- cannot be rounded up to a whole number that it does not reach.
--
-- Time never goes backwards: the script judges at `now`, the latest of now_ms and the times it finds stored,
-- and tells retry_ms and reset_ms from now_ms.
--
-- Every key expires 1,000 ms after its state stops to matter by the clock of who wrote it. To one whose clock is behind
-- that one's it matters for as much longer: with it would go the stored time, and what it holds back would be granted
-- twice. So callers' clocks may differ by 1,000 ms; where they differ more, all are to give 0 as now_ms.
--
-- A refused request passes when the latest retry_ms is over, and not a millisecond earlier. So a concurrency limit
-- refuses a request that renews its lease, too, where the others let it wait until this lease has ended and no place is
-- free: its retry_ms says when one is.
--
-- The packed state is `LIMITS|TIME NUMBERS`: the limits word by word as they came, the time of the last charge,
-- and each packed limit's numbers at that time. A bucket keeps its debt, the fractions that are missing from the full
-- bucket; a fixed_window the units of its window; a sliding_window those of the current and of the previous one. A call
-- that names the same limits as the last that was charged compares one string and reads the numbers; every other goes
-- through the words, so a subject that meets by turns a plan and a route with limits of its own does so at each turn.
-- Limits that are not named stay until they are full; a call that would make a state of more than 128 limits is an error.
--
-- What takes time here is to turn texts into numbers and back, to make tables, and to call, not to calculate. So each
-- word of a limit becomes a number once, where it is; the numbers of the state are one list, found by one pattern and
-- written by one format; and how long a packed limit lets a request wait is calculated only where one refuses.

local TWO_53 = 9007199254740992

-- Milliseconds by which clocks may differ, and the most limits that a state keeps where some are not named.
local GRACE, MOST = 1000, 128

local call, concat, find, match, format, rep = redis.call, table.concat, string.find, string.match, string.format, string.rep
local tonumber = tonumber
local ARGV = ARGV

local EXPECTED = 'ERR check.lua: ARGV[%d] (%s): expected an integer from %d, found %s'

-- The arguments ---------------------------------------------------------------------------------------

-- Most counts and costs are 1, and a text is compared faster than it is read as a number.
local now_ms, count = tonumber(ARGV[1]), ARGV[2] == '1' and 1 or tonumber(ARGV[2])
if not now_ms or now_ms < 0 or now_ms >= TWO_53 or now_ms % 1 ~= 0 then
  return redis.error_reply(format(EXPECTED, 1, 'now_ms', 0, ARGV[1] or 'nothing'))
end
if not count or count < 1 or count >= TWO_53 or count % 1 ~= 0 then
  return redis.error_reply(format(EXPECTED, 2, 'limits', 1, ARGV[2] or 'nothing'))
end

-- Where the limits' words end, how many numbers they keep in the state, and how many keys of their own they have.
local last, kept, keyed, fixed, leases = 2, 0, 0, false, false
for _ = 1, count do
  local algorithm = ARGV[last + 2]
  if algorithm == 'token_bucket' then
    last, kept = last + 6, kept + 1
  elseif algorithm == 'fixed_window' then
    last, kept, fixed = last + 4, kept + 1, true
  elseif algorithm == 'sliding_window' then
    last, kept = last + 4, kept + 2
  elseif algorithm == 'sliding_log' or algorithm == 'concurrency' then
    last, keyed, leases = last + 4, keyed + 1, leases or algorithm == 'concurrency'
  else
    return redis.error_reply(format('ERR check.lua: ARGV[%d] (algorithm): unknown: %s', last + 2, algorithm or 'nothing'))
  end
end
local named = concat(ARGV, ' ', 3, ARGV[last] and last or #ARGV)
local state = kept > 0 and call('GET', KEYS[1])

-- The time and the numbers of a state that has these limits and no others. A pattern finds 32 at most. That of one
-- number, the most frequent, is not made anew.
local numbers = state and kept < 32 and find(state, named, 1, true) == 1
  and { match(state, kept == 1 and '^|(%d+) (%d+)$' or '^|(%d+)' .. rep(' (%d+)', kept) .. '$', #named + 1) }
local familiar = numbers and numbers[1]

-- Words that stand in the state have been looked at before.
if not familiar then
  if format('%d', TWO_53) ~= '9007199254740992' then
    return redis.error_reply('ERR check.lua: this server formats integers in 32 bits (use a build for 64)')
  end
  local problem
  local function integer(position, what, least)
    local text = ARGV[position]
    local number = text and find(text, '^%d+$') and tonumber(text)
    if number and number >= least and number < TWO_53 then return number end
    problem = problem or redis.error_reply(format(EXPECTED, position, what, least, ARGV[position] or 'nothing'))
    return least
  end
  -- How these are spelled is not worth a look at every call: here it is looked at with all others.
  integer(1, 'now_ms', 0)
  integer(2, 'limits', 1)
  local at = 2
  for _ = 1, count do
    local name, algorithm, window = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
    if not find(name, '^[%w_.-]+$') then
      problem = problem or redis.error_reply(format(
        'ERR check.lua: ARGV[%d] (name): expected letters, digits, _ - . , found %s', at + 1, name))
    end
    if algorithm ~= 'fixed_window' or window ~= 'month' then
      window = integer(at + 3, algorithm == 'concurrency' and 'lease_ms' or 'window_ms', 1)
    end
    if algorithm == 'token_bucket' then
      local burst, fractions = integer(at + 4, 'burst', 1), integer(at + 6, 'fractions', 1)
      integer(at + 5, 'refill', 1)
      if burst * fractions >= TWO_53 then
        problem = problem or redis.error_reply(format(
          'ERR check.lua: ARGV[%d] (burst): the bucket does not fit into 2^53 fractions', at + 4))
      end
      at = at + 6
    else
      local limit = integer(at + 4, 'limit', 1)
      if algorithm == 'sliding_window' and limit * window >= TWO_53 then
        problem = problem or redis.error_reply(format(
          'ERR check.lua: ARGV[%d] (limit): the limit times its window does not fit into 2^53', at + 4))
      end
      at = at + 4
    end
  end
  if problem then return problem end
end
local requests = ARGV[last + 1]
requests = requests == '1' and 1 or requests and find(requests, '^%d+$') and tonumber(requests)
if not requests or requests < 1 or requests >= TWO_53 then
  return redis.error_reply(format(EXPECTED, last + 1, 'requests', 1, ARGV[last + 1] or 'nothing'))
end
local arguments = last + 1 + requests * (leases and 2 or 1)
if ARGV[arguments + 1] then
  return redis.error_reply(format('ERR check.lua: expected %d arguments, found %d', arguments, #ARGV))
end
if #KEYS ~= 1 + keyed then
  return redis.error_reply(format('ERR check.lua: these limits need %d keys, found %d', 1 + keyed, #KEYS))
end

if now_ms == 0 then
  local time = call('TIME')
  local micros = time[2] + 0
  now_ms = time[1] * 1000 + (micros - micros % 1000) / 1000
end
local now, time = now_ms, now_ms

-- The packed state ------------------------------------------------------------------------------------

-- The words of the limits that are judged and, behind `last`, of those that the state has besides; the latter's texts.
-- And whether a packed limit is judged that the state does not have.
local words, others, fresh = ARGV, nil, false

if familiar then
  time = numbers[1] + 0
elseif kept > 0 then
  -- What the state has: its limits in order, and by name, algorithm and window.
  local entries, known = {}, {}
  if state then
    local limits, rest = match(state, '^(.*)|(.*)$')
    local word, number = string.gmatch(limits, '%S+'), string.gmatch(rest, '%d+')
    time = number() + 0
    for name in word do
      local entry = { words = { name, word(), word(), word() }, numbers = {} }
      local algorithm = entry.words[2]
      if algorithm == 'token_bucket' then
        entry.words[5], entry.words[6] = word(), word()
        entry.numbers[1] = number() + 0
      elseif algorithm == 'fixed_window' then
        entry.numbers[1] = number() + 0
      elseif algorithm == 'sliding_window' then
        entry.numbers[1], entry.numbers[2] = number() + 0, number() + 0
      end
      entries[#entries + 1] = entry
      known[concat(entry.words, ' ', 1, 3)] = entry
    end
  end
  local function append(list, values)
    for _, value in ipairs(values) do list[#list + 1] = value end
  end

  -- Limits that the state does not know begin empty.
  words, numbers, others = {}, { time }, {}
  for i = 1, last do words[i] = ARGV[i] end
  local word = 2
  for _ = 1, count do
    local algorithm = ARGV[word + 2]
    local entry = known[concat(ARGV, ' ', word + 1, word + 3)]
    if entry then
      entry.named = true
      if algorithm == 'token_bucket' then
        local burst, refill, fractions = ARGV[word + 4] + 0, ARGV[word + 5] + 0, ARGV[word + 6] + 0
        local before = entry.words[6] + 0
        if entry.words[4] + 0 ~= burst or entry.words[5] + 0 ~= refill or before ~= fractions then
          -- The limit has changed, and perhaps the size of a fraction: a unit begun counts as a whole one, and no
          -- more is owed than the bucket holds. From then on the new rate refills it.
          local debt = entry.numbers[1]
          local units = (debt - debt % before) / before + (debt % before > 0 and 1 or 0)
          entry.numbers[1] = math.min(units, burst) * fractions
        end
      end
      append(numbers, entry.numbers)
    elseif algorithm == 'sliding_window' then
      append(numbers, { 0, 0 })
      fresh = true
    elseif algorithm == 'token_bucket' or algorithm == 'fixed_window' then
      append(numbers, { 0 })
      fresh = true
    end
    word = word + (algorithm == 'token_bucket' and 6 or 4)
  end

  -- Others stay until they are full. Those with a key of their own have nothing here to stay.
  for _, entry in ipairs(entries) do
    if not entry.named and entry.numbers[1] then
      others[#others + 1] = concat(entry.words, ' ')
      append(words, entry.words)
      append(numbers, entry.numbers)
      fixed = fixed or entry.words[2] == 'fixed_window'
    end
  end
end
if time > now then now = time end

-- Sorted sets -----------------------------------------------------------------------------------------
--
-- Sliding log: one entry an admitted request, its time as the score. All units that the log ever admitted are
-- numbered; a member is `laps offset:cost`, and laps * 2^53 + offset is how many came before it. So members are
-- unique, members of one millisecond stand in order, and the units between two entries are a subtraction of their
-- numbers, however many entries lie between. Units of the window are counted from `first`.
--
-- Concurrency: one member a lease, its expiry as the score.

local sets, load, advance, wait_for, outlast, charge, budget, save

if keyed > 0 then
  local function decode(entry)
    return {
      laps = tonumber(string.sub(entry[1], 1, 6)),
      offset = tonumber(string.sub(entry[1], 7, 22)),
      cost = tonumber(string.sub(entry[1], 24)),
      time = tonumber(entry[2]),
    }
  end

  -- Units between the starts of two entries that are less than 2^53 units apart.
  local function units_between(a, b)
    return b.offset - a.offset + (b.laps - a.laps) * TWO_53
  end

  -- The time of the entry that holds the n-th unit of the window. Guesses by proportion, which is right at once
  -- where costs are equal, and every other time by halves, so that no mix of costs takes more than 2 log2 of the
  -- entries.
  local function time_of_unit(limit, n)
    if n <= limit.first.cost then return limit.first.time end
    local low = call('ZCOUNT', limit.key, '-inf', limit.expired) + 1
    local high = call('ZCARD', limit.key) - 1
    local before, upto = limit.first.cost, limit.stored
    local halve = false
    while low <= high do
      local share = halve and 0.5 or (n - before - 1) / (upto - before)
      local guess = math.min(low + math.floor((high - low + 1) * share), high)
      local entry = decode(call('ZRANGE', limit.key, guess, guess, 'WITHSCORES'))
      local start = units_between(limit.first, entry)
      if n <= start then
        high, upto = guess - 1, start
      elseif n > start + entry.cost then
        low, before = guess + 1, start + entry.cost
      else
        return entry.time
      end
      halve = not halve
    end
    -- Somebody has removed entries by hand: the newest one is late enough for all.
    return limit.newest.time
  end

  -- Returns the newest time that the limit knows.
  function load(limit)
    limit.added = {}
    if limit.algorithm == 'concurrency' then return 0 end
    limit.used, limit.stored = 0, 0
    local newest = call('ZRANGE', limit.key, -1, -1, 'WITHSCORES')
    limit.newest = newest[1] and decode(newest)
    return limit.newest and limit.newest.time or 0
  end

  function advance(limit, now)
    if limit.algorithm == 'concurrency' then
      limit.expired = format('%.0f', now)
      limit.stored = call('ZCOUNT', limit.key, '(' .. limit.expired, '+inf')
      limit.used = limit.stored
      return
    end
    limit.expired = format('%.0f', now - limit.window)
    if limit.newest and limit.newest.time > now - limit.window then
      limit.first = decode(
        call('ZRANGEBYSCORE', limit.key, '(' .. limit.expired, '+inf', 'WITHSCORES', 'LIMIT', 0, 1))
      limit.stored = units_between(limit.first, limit.newest) + limit.newest.cost
      limit.used = limit.stored
    else
      limit.newest = nil
      limit.first = { laps = 0, offset = 0 }
    end
  end

  -- When this lease ends, taken by this call or before; 0 if there is none.
  local function expiry_of_lease(limit, lease, now)
    if limit.added[lease] then return now + limit.window end
    return tonumber(call('ZSCORE', limit.key, lease) or 0)
  end

  -- The n-th of the expiries of all leases that are alive, from the earliest: those in the set, less those that
  -- this call has renewed, and those that this call has taken, which all end at the same time.
  local function expiry_of(limit, n, now)
    local ends, expiries = now + limit.window, {}
    local entries = call('ZRANGEBYSCORE', limit.key, '(' .. limit.expired, '+inf', 'WITHSCORES')
    for i = 1, #entries, 2 do
      if not limit.added[entries[i]] then expiries[#expiries + 1] = tonumber(entries[i + 1]) end
    end
    for _ = 1, #limit.added do expiries[#expiries + 1] = ends end
    table.sort(expiries)
    return expiries[n]
  end

  -- When a place is free again, where there is none: as many leases have ended then as are too many, and one more.
  local function free_at(limit, now)
    local n = limit.used - limit.limit + 1
    if #limit.added > 0 then return expiry_of(limit, n, now) end
    local entry = call('ZRANGEBYSCORE', limit.key, '(' .. limit.expired, '+inf', 'WITHSCORES', 'LIMIT', n - 1, 1)
    return tonumber(entry[2])
  end

  function wait_for(limit, cost, lease, now)
    if limit.algorithm == 'concurrency' then
      if limit.used < limit.limit or expiry_of_lease(limit, lease, now) > now then return 0 end
      return free_at(limit, now) - now
    end
    if cost > limit.limit then return -1 end
    local over = cost - (limit.limit - limit.used)
    if over <= 0 then return 0 end
    if over > limit.stored then return limit.window end
    return time_of_unit(limit, over) + limit.window - now
  end

  -- Of a refused request whose answer ends at `reply[size]`: lets a concurrency limit that admits it only because its
  -- lease is alive refuse it, if at the time that is promised the lease has ended and no place is free. This promises
  -- a later time, at which another lease may have ended; no limit refuses for this reason twice.
  --
  -- Where no more leases are alive than the limit allows, the first that ends leaves a place free.
  function outlast(reply, size, lease, now)
    local holes, latest = {}, 0
    for i = 1, count do
      local limit, at = sets[i], size - 3 * (count - i) - 1
      if reply[at] < 0 then return end
      latest = math.max(latest, reply[at])
      if limit and limit.algorithm == 'concurrency' and limit.wait == 0 and limit.used > limit.limit then
        local ends, free = expiry_of_lease(limit, lease, now), free_at(limit, now)
        holes[#holes + 1] = { at = at, from = ends - now_ms, upto = free - now_ms }
      end
    end
    repeat
      local promised = latest
      for _, hole in ipairs(holes) do
        if hole.from <= promised and promised < hole.upto then
          reply[hole.at], latest = hole.upto, math.max(latest, hole.upto)
        end
      end
    until latest == promised
  end

  function charge(limit, cost, lease, now)
    local added = limit.added
    if limit.algorithm == 'concurrency' then
      if added[lease] then return end
      if expiry_of_lease(limit, lease, now) <= now then limit.used = limit.used + 1 end
      added[lease] = true
      added[#added + 1] = lease
      return
    end
    local laps, offset = limit.first.laps, limit.first.offset
    if offset >= TWO_53 - limit.used then
      laps, offset = laps + 1, offset - (TWO_53 - limit.used)
    else
      offset = offset + limit.used
    end
    added[#added + 1] = format('%06.0f%016.0f:%.0f', laps, offset, cost)
    limit.used = limit.used + cost
  end

  -- What remains, and how long until the limit is full.
  function budget(limit, now)
    local full = 0
    if limit.algorithm == 'concurrency' then
      if limit.used > 0 then
        local newest = call('ZRANGE', limit.key, -1, -1, 'WITHSCORES')
        if limit.added[newest[1]] then
          full = expiry_of(limit, limit.used, now) - now
        else
          full = math.max((newest[2] or 0) - now, #limit.added > 0 and limit.window or 0)
        end
      end
    elseif #limit.added > 0 then
      full = limit.window
    elseif limit.newest and limit.used > 0 then
      full = limit.newest.time + limit.window - now
    end
    return math.max(limit.limit - limit.used, 0), full
  end

  function save(limit, now, ahead)
    local score, members = now, {}
    if limit.algorithm == 'concurrency' then score = now + limit.window end
    score = format('%.0f', score)
    for _, member in ipairs(limit.added) do
      members[#members + 1] = score
      members[#members + 1] = member
    end
    local _, full = budget(limit, now)
    call('ZREMRANGEBYSCORE', limit.key, '-inf', limit.expired)
    for from = 1, #members, 1000 do
      call('ZADD', limit.key, unpack(members, from, math.min(from + 999, #members)))
    end
    call('PEXPIRE', limit.key, format('%.0f', full + ahead + GRACE))
  end
end

if keyed > 0 then
  sets = {}
  local word, key = 2, 1
  for i = 1, count do
    local algorithm = ARGV[word + 2]
    if algorithm == 'sliding_log' or algorithm == 'concurrency' then
      key = key + 1
      sets[i] = {
        algorithm = algorithm, window = ARGV[word + 3] + 0, limit = ARGV[word + 4] + 0, key = KEYS[key], used = 0,
      }
      now = math.max(now, load(sets[i]))
    end
    word = word + (algorithm == 'token_bucket' and 6 or 4)
  end
  for i = 1, count do
    if sets[i] then advance(sets[i], now) end
  end
end

-- From `time` to `now` ----------------------------------------------------------------------------------

local end_of, ends

if fixed then
  ends = {}

  -- The end of the fixed window that holds `time`. Of months (UTC): Howard Hinnant, "chrono-Compatible Low-Level Date
  -- Algorithms", civil_from_days and days_from_civil, for days from 1970 on.
  function end_of(window, time)
    if window ~= 'month' then return time - time % window + window end
    local function floor_div(a, b) return (a - a % b) / b end
    local days = floor_div(time, 86400000) + 719468
    local era = floor_div(days, 146097)
    local day_of_era = days % 146097
    local year_of_era = floor_div(
      day_of_era - floor_div(day_of_era, 1460) + floor_div(day_of_era, 36524) - floor_div(day_of_era, 146096), 365)
    local day_of_year = day_of_era - (365 * year_of_era + floor_div(year_of_era, 4) - floor_div(year_of_era, 100))
    -- Months and years from March on, and those of the next month.
    local next_month = floor_div(5 * day_of_year + 2, 153) + 1
    local next_year = year_of_era + era * 400
    if next_month == 12 then next_year, next_month = next_year + 1, 0 end
    era = floor_div(next_year, 400)
    year_of_era = next_year - era * 400
    day_of_era = 365 * year_of_era + floor_div(year_of_era, 4) - floor_div(year_of_era, 100)
      + floor_div(153 * next_month + 2, 5)
    return (era * 146097 + day_of_era - 719468) * 86400000
  end
end

-- Here the words become numbers: of a bucket its burst, in fractions from here on, its refill, and the fractions of a
-- unit; of a window its limit and, where it slides, its length.
local total = others and count + #others or count
local word, number = 2, 1
for i = 1, total do
  local algorithm = words[word + 2]
  if algorithm == 'token_bucket' then
    number = number + 1
    local refill, fractions = words[word + 5] + 0, words[word + 6] + 0
    local debt = numbers[number] - (now - time) * refill
    numbers[number] = debt > 0 and debt or 0
    words[word + 4], words[word + 5], words[word + 6] = words[word + 4] * fractions, refill, fractions
    word = word + 6
  else
    if algorithm == 'fixed_window' then
      number = number + 1
      local window, used = words[word + 3], numbers[number] + 0
      ends[i] = end_of(window, now)
      if ends[i] ~= end_of(window, time) then used = 0 end
      numbers[number], words[word + 4] = used, words[word + 4] + 0
    elseif algorithm == 'sliding_window' then
      local window, used, previous = words[word + 3] + 0, numbers[number + 1] + 0, numbers[number + 2] + 0
      local passed = (now - now % window - (time - time % window)) / window
      if passed > 0 then used, previous = 0, passed == 1 and used or 0 end
      numbers[number + 1], numbers[number + 2] = used, previous
      words[word + 3], words[word + 4] = window, words[word + 4] + 0
      number = number + 2
    end
    word = word + 4
  end
end

-- The verdicts ----------------------------------------------------------------------------------------

-- The costs of a request at each limit, and the first of them; 0 where all are, and nothing where the text is none.
local function costs(text)
  local each, all = {}, 0
  for word in string.gmatch(text .. ',', '([^,]*),') do
    local cost = find(word, '^%d+$') and tonumber(word)
    if not cost or cost >= TWO_53 then return nil end
    each[#each + 1], all = cost, all + cost
  end
  if #each == count then return each[1], all > 0 and each or nil end
end

local ahead = now - now_ms
-- The reply has room for one request to two limits before it grows.
local reply, size, charged, longest = { nil, nil, nil, nil, nil, nil, nil, nil }, 0, false, 0
local at = last + 1
for _ = 1, requests do
  at = at + 1
  local cost, lease, each = ARGV[at], nil, nil
  if cost == '1' then
    cost = 1
  elseif cost then
    if find(cost, '^%d+$') then cost = tonumber(cost) else cost, each = costs(cost) end
  end
  if not cost or cost >= TWO_53 then
    return redis.error_reply(format(EXPECTED, at, 'cost', 0, ARGV[at] or 'nothing'))
  end
  if leases then
    at = at + 1
    lease = ARGV[at]
    if not lease or #lease > 200 or not find(lease, '^[!-~]+$') then
      return redis.error_reply(format(
        'ERR check.lua: ARGV[%d] (lease): expected 1 to 200 characters without space, found %s', at, lease or 'nothing'))
    end
  end

  -- Whether all admit it.
  local allowed = 1
  word, number = 2, 1
  for i = 1, count do
    local algorithm = words[word + 2]
    if each then cost = each[i] end
    if algorithm == 'token_bucket' then
      number = number + 1
      if numbers[number] > words[word + 4] - cost * words[word + 6] then allowed = 0 end
      word = word + 6
    else
      if algorithm == 'fixed_window' then
        number = number + 1
        if cost > words[word + 4] - numbers[number] then allowed = 0 end
      elseif algorithm == 'sliding_window' then
        local window, free = words[word + 3], words[word + 4] - numbers[number + 1] - cost
        number = number + 2
        if free < 0 or numbers[number] * (window - now % window) > free * window then allowed = 0 end
      else
        sets[i].wait = wait_for(sets[i], cost, lease, now)
        if sets[i].wait ~= 0 then allowed = 0 end
      end
      word = word + 4
    end
  end

  -- Where not, how long each lets it wait; what remains of each, and how long until it is full.
  local take = allowed == 1 and cost or 0
  if take > 0 or each and allowed == 1 then charged = true end
  reply[size + 1], size, longest = allowed, size + 1, 0
  word, number = 2, 1
  for i = 1, total do
    local algorithm, wait, remaining, full = words[word + 2], 0, 0, 0
    if i > count then
      take = 0
    elseif each then
      cost = each[i]
      take = allowed == 1 and cost or 0
    end
    if algorithm == 'token_bucket' then
      number = number + 1
      local burst, refill, fractions, debt = words[word + 4], words[word + 5], words[word + 6], numbers[number]
      if allowed == 0 then
        local most = burst - cost * fractions
        if most < 0 then
          wait = -1
        elseif debt > most then
          local rest = (debt - most) % refill
          wait = (debt - most - rest) / refill + (rest > 0 and 1 or 0)
        end
      end
      debt = debt + take * fractions
      numbers[number] = debt
      if debt < burst then remaining = (burst - debt - (burst - debt) % fractions) / fractions end
      local rest = debt % refill
      full = (debt - rest) / refill
      if rest > 0 then full = full + 1 end
      if full > longest then longest = full end
      word = word + 6
    else
      local limit = words[word + 4]
      if algorithm == 'fixed_window' then
        number = number + 1
        local used, left = numbers[number] + take, ends[i] - now
        numbers[number] = used
        if cost > limit then wait = -1 elseif allowed == 0 and cost > limit - used then wait = left end
        remaining = limit - used
        if used > 0 then full = left end
        if full > longest then longest = full end
      elseif algorithm == 'sliding_window' then
        local window, used, previous = words[word + 3], numbers[number + 1] + take, numbers[number + 2]
        local left = window - now % window
        numbers[number + 1] = used
        number = number + 2
        if allowed == 0 then
          local free = limit - used - cost
          if cost > limit then
            wait = -1
          elseif free < 0 then
            local least = (limit - cost) * window
            wait = window + left - (least - least % used) / used
          elseif previous * left > free * window then
            free = free * window
            wait = left - (free - free % previous) / previous
          end
        end
        local weighted = previous * left
        local rest = weighted % window
        remaining = limit - used - (weighted - rest) / window - (rest > 0 and 1 or 0)
        if used > 0 then full = window + left elseif previous > 0 then full = left end
        if full > longest then longest = full end
      else
        wait = sets[i].wait
        if take > 0 then charge(sets[i], take, lease, now) end
        remaining, full = budget(sets[i], now)
      end
      if remaining < 0 then remaining = 0 end
      word = word + 4
    end
    if i <= count then
      reply[size + 1] = remaining
      reply[size + 2] = wait > 0 and wait + ahead or wait
      reply[size + 3] = full > 0 and full + ahead or 0
      size = size + 3
    end
  end
  if leases and allowed == 0 then outlast(reply, size, lease, now) end
end

-- What was charged ------------------------------------------------------------------------------------

-- Where each packed limit is full, for a request can cost nothing there, there is nothing to keep.
local packed = charged and kept > 0 and longest > 0
if packed and total > count then
  -- Of the others, those that are not full.
  local all = { named }
  word, number = last, kept + 1
  for i = 1, total - count do
    local algorithm = words[word + 2]
    local first, second = numbers[number + 1], algorithm == 'sliding_window' and numbers[number + 2]
    if first > 0 or second and second > 0 then
      all[#all + 1] = others[i]
      kept = kept + 1
      numbers[kept + 1] = first
      if second then
        kept = kept + 1
        numbers[kept + 1] = second
      end
    end
    word, number = word + (algorithm == 'token_bucket' and 6 or 4), number + (second and 2 or 1)
  end
  if fresh and count - keyed + #all - 1 > MOST then
    return redis.error_reply(format(
      'ERR check.lua: KEYS[1] (state): no room beside %d other limits, %d in all are the most '
      .. '(name limits that are there, or reset the subject)', #all - 1, MOST))
  end
  named = concat(all, ' ')
end

-- Nothing is written before this line, for nothing takes it back.
if packed then
  numbers[1] = now
  local layout = kept == 1 and '%s|%d %d' or '%s|%d' .. rep(' %d', kept)
  call('SET', KEYS[1], format(layout, named, unpack(numbers, 1, kept + 1)), 'PX', format('%d', longest + ahead + GRACE))
end
if charged and keyed > 0 then
  for i = 1, count do
    if sets[i] and #sets[i].added > 0 then save(sets[i], now, ahead) end
  end
end

reply[size + 1] = now_ms
return reply
