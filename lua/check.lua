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
-- ARGV[..]   requests  how many requests follow; each is
--              cost      units; 0 = look without taking
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
-- and tells retry_ms and reset_ms from now_ms. Every key expires when its state stops to matter.
--
-- The packed state is `LIMITS|TIME NUMBERS`: the limits word by word as they came, the time of the last charge,
-- and each packed limit's numbers at that time. A call that names the same limits, as nearly all do, compares one
-- string and reads the numbers; every other call goes through the words.

local TWO_53 = 9007199254740992

local call, concat, find, format, tonumber = redis.call, table.concat, string.find, string.format, tonumber
local ARGV = ARGV

local function refuse(position, what, least)
  return redis.error_reply(format('ERR check.lua: ARGV[%d] (%s): expected an integer from %d, found %s',
    position, what, least, ARGV[position] or 'nothing'))
end

-- The arguments ---------------------------------------------------------------------------------------

local now_ms, count = tonumber(ARGV[1]), tonumber(ARGV[2])
if not now_ms or now_ms < 0 or now_ms >= TWO_53 or now_ms % 1 ~= 0 then return refuse(1, 'now_ms', 0) end
if not count or count < 1 or count >= TWO_53 or count % 1 ~= 0 then return refuse(2, 'limits', 1) end

-- Where the limits' words end, and what they need.
local last, buckets, windows, sets, leases = 2, 0, 0, 0, false
for _ = 1, count do
  local algorithm = ARGV[last + 2]
  if algorithm == 'token_bucket' then
    last, buckets = last + 6, buckets + 1
  elseif algorithm == 'fixed_window' or algorithm == 'sliding_window' then
    last, windows = last + 4, windows + 1
  elseif algorithm == 'sliding_log' or algorithm == 'concurrency' then
    last, sets, leases = last + 4, sets + 1, leases or algorithm == 'concurrency'
  else
    return redis.error_reply(format('ERR check.lua: ARGV[%d] (algorithm): unknown: %s', last + 2, algorithm or 'nothing'))
  end
end
local packed = buckets + windows > 0
local named = concat(ARGV, ' ', 3, #ARGV < last and #ARGV or last)
local state = packed and call('GET', KEYS[1])
local familiar = state and find(state, named, 1, true) == 1 and find(state, '|', #named + 1, true) == #named + 1

-- Words that stand in the state have been looked at before.
if not familiar then
  local problem
  local function integer(position, what, least)
    local number = tonumber(ARGV[position])
    if number and number >= least and number < TWO_53 and number % 1 == 0 then return number end
    problem = problem or refuse(position, what, least)
    return least
  end
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
local requests = tonumber(ARGV[last + 1])
if not requests or requests < 1 or requests >= TWO_53 or requests % 1 ~= 0 then return refuse(last + 1, 'requests', 1) end
local arguments = last + 1 + requests * (leases and 2 or 1)
if #ARGV > arguments then
  return redis.error_reply(format('ERR check.lua: expected %d arguments, found %d', arguments, #ARGV))
end
if #KEYS ~= 1 + sets then
  return redis.error_reply(format('ERR check.lua: these limits need %d keys, found %d', 1 + sets, #KEYS))
end

-- Each limit as a table. What a packed limit keeps: a bucket its debt, the fractions that are missing from the
-- full bucket; a window the units of the current and (sliding_window) the previous one.
local limits, at, key = {}, 2, 1
for i = 1, count do
  local algorithm = ARGV[at + 2]
  if algorithm == 'token_bucket' then
    limits[i] = {
      algorithm = algorithm, burst = ARGV[at + 4] + 0, refill = ARGV[at + 5] + 0, fractions = ARGV[at + 6] + 0,
      debt = 0, full = 0,
    }
    at = at + 6
  else
    limits[i] = {
      algorithm = algorithm, window = tonumber(ARGV[at + 3]) or 'month', limit = ARGV[at + 4] + 0,
      used = 0, previous = 0, full = 0,
    }
    if algorithm == 'sliding_log' or algorithm == 'concurrency' then
      key = key + 1
      limits[i].key = KEYS[key]
    end
    at = at + 4
  end
end

-- Sorted sets -----------------------------------------------------------------------------------------
--
-- Sliding log: one entry an admitted request, its time as the score. All units that the log ever admitted are
-- numbered; a member is `laps offset:cost`, and laps * 2^53 + offset is how many came before it. So members are
-- unique, members of one millisecond stand in order, and the units between two entries are a subtraction of their
-- numbers, however many entries lie between. Units of the window are counted from `first`.
--
-- Concurrency: one member a lease, its expiry as the score.

local load, advance, wait_for, charge, budget, save

if sets > 0 then
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

  -- Whether this lease is alive: taken by this call, or before and not expired.
  local function is_alive(limit, lease, now)
    if limit.added[lease] then return true end
    local expiry = call('ZSCORE', limit.key, lease)
    return expiry and tonumber(expiry) > now
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

  function wait_for(limit, cost, lease, now)
    if limit.algorithm == 'concurrency' then
      if limit.used < limit.limit or is_alive(limit, lease, now) then return 0 end
      local n = limit.used - limit.limit + 1
      if #limit.added > 0 then return expiry_of(limit, n, now) - now end
      local entry = call('ZRANGEBYSCORE', limit.key, '(' .. limit.expired, '+inf', 'WITHSCORES', 'LIMIT', n - 1, 1)
      return tonumber(entry[2]) - now
    end
    if cost > limit.limit then return -1 end
    local over = cost - (limit.limit - limit.used)
    if over <= 0 then return 0 end
    if over > limit.stored then return limit.window end
    return time_of_unit(limit, over) + limit.window - now
  end

  function charge(limit, cost, lease, now)
    local added = limit.added
    if limit.algorithm == 'concurrency' then
      if added[lease] then return end
      if not is_alive(limit, lease, now) then limit.used = limit.used + 1 end
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
    call('PEXPIRE', limit.key, format('%.0f', full + ahead))
  end
end

-- The time --------------------------------------------------------------------------------------------

if now_ms == 0 then
  local time = call('TIME')
  local micros = time[2] + 0
  now_ms = time[1] * 1000 + (micros - micros % 1000) / 1000
end

local now, time, number = now_ms, now_ms, nil
if state then
  number = string.gmatch(string.sub(state, familiar and #named + 2 or find(state, '|', 1, true) + 1), '%d+')
  time = number() + 0
  if time > now then now = time end
end
if sets > 0 then
  for i = 1, count do
    if limits[i].key then now = math.max(now, load(limits[i])) end
  end
end

-- The packed state ------------------------------------------------------------------------------------

-- Brings a packed limit from `time` to `now`; how long it then takes until it is full.
local pass, full_in

if windows > 0 or not familiar then
  -- The bounds of the month (UTC) that holds `time`, in milliseconds. Source: Howard Hinnant, "chrono-Compatible
  -- Low-Level Date Algorithms", civil_from_days and days_from_civil, for days from 1970 on.
  local function month_of(time)
    local function floor_div(a, b) return (a - a % b) / b end
    local function first_day(year, month)
      local y = month <= 2 and year - 1 or year
      local era = floor_div(y, 400)
      local day_of_year = floor_div(153 * (month > 2 and month - 3 or month + 9) + 2, 5)
      local year_of_era = y - era * 400
      return era * 146097 + year_of_era * 365 + floor_div(year_of_era, 4) - floor_div(year_of_era, 100) + day_of_year - 719468
    end
    local days = floor_div(time, 86400000) + 719468
    local era = floor_div(days, 146097)
    local day_of_era = days % 146097
    local year_of_era = floor_div(
      day_of_era - floor_div(day_of_era, 1460) + floor_div(day_of_era, 36524) - floor_div(day_of_era, 146096), 365)
    local day_of_year = day_of_era - (365 * year_of_era + floor_div(year_of_era, 4) - floor_div(year_of_era, 100))
    local shifted = floor_div(5 * day_of_year + 2, 153)
    local month = shifted < 10 and shifted + 3 or shifted - 9
    local year = year_of_era + era * 400 + (month <= 2 and 1 or 0)
    local next_year, next_month = year, month + 1
    if next_month > 12 then next_year, next_month = year + 1, 1 end
    return first_day(year, month) * 86400000, first_day(next_year, next_month) * 86400000
  end

  -- The end of the fixed window that holds `time`.
  local function end_of(window, time)
    if window == 'month' then
      local _, ends = month_of(time)
      return ends
    end
    return time - time % window + window
  end

  function pass(limit)
    if limit.algorithm == 'token_bucket' then
      local debt = limit.debt - (now - time) * limit.refill
      limit.debt = debt > 0 and debt or 0
    elseif limit.algorithm == 'fixed_window' then
      limit.ends = end_of(limit.window, now)
      if limit.ends ~= end_of(limit.window, time) then limit.used = 0 end
    else
      local window = limit.window
      limit.elapsed = now % window
      local passed = (now - limit.elapsed - (time - time % window)) / window
      if passed > 0 then
        limit.previous = passed == 1 and limit.used or 0
        limit.used = 0
      end
    end
  end

  function full_in(limit)
    if limit.algorithm == 'token_bucket' then
      local rest = limit.debt % limit.refill
      return (limit.debt - rest) / limit.refill + (rest > 0 and 1 or 0)
    elseif limit.algorithm == 'fixed_window' then
      return limit.used > 0 and limit.ends - now or 0
    end
    if limit.used > 0 then return 2 * limit.window - limit.elapsed end
    return limit.previous > 0 and limit.window - limit.elapsed or 0
  end
end

-- Limits that the state has and this call does not name, and their words: they stay until they are full.
local others, other_words

if familiar then
  local elapsed = now - time
  for i = 1, count do
    local limit = limits[i]
    if limit.algorithm == 'token_bucket' then
      local debt = number() - elapsed * limit.refill
      if debt > 0 then limit.debt = debt end
    elseif not limit.key then
      limit.used = number() + 0
      if limit.algorithm == 'sliding_window' then limit.previous = number() + 0 end
      pass(limit)
    end
  end
elseif packed then
  others, other_words = {}, {}
  local ours, at = {}, 2
  for i = 1, count do
    ours[concat(ARGV, ' ', at + 1, at + 3)] = limits[i]
    at = at + (ARGV[at + 2] == 'token_bucket' and 6 or 4)
  end
  local word = string.gmatch(state and string.sub(state, 1, find(state, '|', 1, true) - 1) or '', '%S+')
  for name in word do
    local algorithm, window = word(), word()
    local id, stored = name .. ' ' .. algorithm .. ' ' .. window, nil
    if algorithm == 'token_bucket' then
      stored = { algorithm = algorithm, burst = word(), refill = word(), fractions = word(), debt = number() + 0 }
      stored.words = concat({ id, stored.burst, stored.refill, stored.fractions }, ' ')
      stored.burst, stored.refill, stored.fractions = stored.burst + 0, stored.refill + 0, stored.fractions + 0
    else
      stored = { algorithm = algorithm, window = tonumber(window) or window, limit = word(), used = 0, previous = 0 }
      stored.words = id .. ' ' .. stored.limit
      if algorithm == 'fixed_window' or algorithm == 'sliding_window' then stored.used = number() + 0 end
      if algorithm == 'sliding_window' then stored.previous = number() + 0 end
    end
    local limit = ours[id]
    if algorithm == 'sliding_log' or algorithm == 'concurrency' then
      -- Has a key of its own.
      stored = nil
    else
      if limit and stored.debt and
        (stored.burst ~= limit.burst or stored.refill ~= limit.refill or stored.fractions ~= limit.fractions) then
        -- The limit has changed, and perhaps the size of a fraction: a unit begun counts as a whole one, and no
        -- more is owed than the bucket holds. From then on the new rate refills it.
        local rest = stored.debt % stored.fractions
        local units = (stored.debt - rest) / stored.fractions + (rest > 0 and 1 or 0)
        stored.debt, stored.refill = math.min(units, limit.burst) * limit.fractions, limit.refill
      end
      pass(stored)
    end
    if stored and limit then
      limit.used, limit.previous, limit.debt = stored.used, stored.previous, stored.debt
    elseif stored then
      stored.full = full_in(stored)
      if stored.full > 0 then
        others[#others + 1] = stored
        other_words[#other_words + 1] = ' ' .. stored.words
      end
    end
  end
  -- What the state does not know begins empty; what it does is at `now` already.
  time = now
  for i = 1, count do
    if not limits[i].key then pass(limits[i]) end
  end
end
if sets > 0 then
  for i = 1, count do
    if limits[i].key then advance(limits[i], now) end
  end
end

-- The verdicts ----------------------------------------------------------------------------------------

local ahead = now - now_ms
local reply, size, charged = { 0, 0, 0, 0 }, 0, false

at = last + 1
for _ = 1, requests do
  at = at + 1
  local cost, lease = tonumber(ARGV[at]), nil
  if not cost or cost < 0 or cost >= TWO_53 or cost % 1 ~= 0 then return refuse(at, 'cost', 0) end
  if leases then
    at = at + 1
    lease = ARGV[at]
    if not lease or #lease > 200 or not find(lease, '^[!-~]+$') then
      return redis.error_reply(format(
        'ERR check.lua: ARGV[%d] (lease): expected 1 to 200 characters without space, found %s', at, lease or 'nothing'))
    end
  end

  local allowed, start = 1, size + 1
  for i = 1, count do
    local limit, wait = limits[i], 0
    local algorithm = limit.algorithm
    if algorithm == 'token_bucket' then
      local over = limit.debt - (limit.burst - cost) * limit.fractions
      if cost > limit.burst then
        wait = -1
      elseif over > 0 then
        local rest = over % limit.refill
        wait = (over - rest) / limit.refill + (rest > 0 and 1 or 0)
      end
    elseif limit.key then
      wait = wait_for(limit, cost, lease, now)
    elseif cost > limit.limit then
      wait = -1
    elseif algorithm == 'fixed_window' then
      if cost > limit.limit - limit.used then wait = limit.ends - now end
    else
      local window, free = limit.window, limit.limit - limit.used - cost
      if free < 0 then
        local least = (limit.limit - cost) * window
        wait = 2 * window - limit.elapsed - (least - least % limit.used) / limit.used
      elseif limit.previous * (window - limit.elapsed) > free * window then
        free = free * window
        wait = window - limit.elapsed - (free - free % limit.previous) / limit.previous
      end
    end
    if wait ~= 0 then allowed = 0 end
    reply[size + 2], reply[size + 3], reply[size + 4] = 0, wait > 0 and wait + ahead or wait, 0
    size = size + 3
  end
  reply[start] = allowed

  local take = allowed == 1 and cost or 0
  if take > 0 then charged = true end
  size = start
  for i = 1, count do
    local limit, remaining = limits[i], 0
    local full
    if limit.algorithm == 'token_bucket' then
      local fractions = limit.fractions
      limit.debt = limit.debt + take * fractions
      local debt = limit.debt
      local level, rest = limit.burst * fractions - debt, debt % limit.refill
      if level > 0 then remaining = (level - level % fractions) / fractions end
      full = (debt - rest) / limit.refill
      if rest > 0 then full = full + 1 end
    elseif limit.key then
      if take > 0 then charge(limit, take, lease, now) end
      remaining, full = budget(limit, now)
    else
      limit.used = limit.used + take
      remaining = limit.limit - limit.used
      if limit.algorithm == 'sliding_window' and limit.previous > 0 then
        local weighted = limit.previous * (limit.window - limit.elapsed)
        local rest = weighted % limit.window
        remaining = remaining - (weighted - rest) / limit.window - (rest > 0 and 1 or 0)
      end
      if remaining < 0 then remaining = 0 end
      full = full_in(limit)
    end
    limit.full = full
    reply[size + 1], reply[size + 3] = remaining, full > 0 and full + ahead or 0
    size = size + 3
  end
end

-- What was charged ------------------------------------------------------------------------------------

if charged then
  local text, longest = named .. (other_words and concat(other_words) or '') .. format('|%.0f', now), 0
  for i = 1, count + (others and #others or 0) do
    local limit = limits[i] or others[i - count]
    if limit.algorithm == 'token_bucket' then
      text = text .. format(' %.0f', limit.debt)
    elseif limit.key then
      save(limit, now, ahead)
    elseif limit.algorithm == 'fixed_window' then
      text = text .. format(' %.0f', limit.used)
    else
      text = text .. format(' %.0f %.0f', limit.used, limit.previous)
    end
    if limit.full > longest and not limit.key then longest = limit.full end
  end
  if packed then call('SET', KEYS[1], text, 'PX', longest + ahead) end
end

reply[size + 1] = now_ms
return reply
