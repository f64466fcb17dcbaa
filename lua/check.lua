-- Checks a batch of requests, in order, against all limits of one subject, or of several. An allowed request is charged
-- to every limit. A request that one limit denies is charged to none and changes nothing.
--
-- KEYS[1..]  state     string: the packed state of each subject; usually there is one
-- KEYS[..]   set       sorted set: one for each sliding_log or concurrency limit, in the order of the limits
-- ARGV[1]    now_ms    milliseconds since the epoch; 0 = use the server's TIME
-- ARGV[2]    limits    number of limits that follow; with several states one number for each, joined by commas: the limits
--                      of the first state come first. Each is a name (1 or more of A-Z a-z 0-9 _ - .), then
--              sliding_log     window_ms limit                    limit in units
--              token_bucket    window_ms burst refill fractions   burst in units, fractions per ms, fractions per unit
--              fixed_window    window_ms|month limit              limit in units
--              sliding_window  window_ms limit                    limit in units
--              concurrency     lease_ms limit                     limit in leases
--            The names in a state are distinct.
-- ARGV[..]   requests  number of requests that follow; each is
--              cost      units: one number for all limits, or one for each, joined by commas; 0 = check, do not charge
--              lease     1 to 200 characters without space; only if one of the limits is a concurrency limit
-- returns    integers: for each request allowed (0|1), then for each limit
--              remaining    units: the largest cost that the limit would allow now
--              retry_ms     0 = this limit allows the request, -1 = it never can, else: denied until now_ms + retry_ms
--              reset_ms     milliseconds until the limit has its full quota again, if nothing more is charged
--            and last, once, now_ms: ARGV[1] or the server's TIME. Pass it to settle.lua as charged_at
-- example    redis-cli --eval lua/check.lua 'sg:1:{ip:203.0.113.7}' , 0 1 burst token_bucket 10000 20 1 500 1 1
--
-- The file has six sections: arguments, packed state, sorted sets, advance to now, verdicts, writes.
--
-- Numbers. All are integers below 2^53, which a double holds exactly. For such a and b, a % b is exact: rounding
-- cannot lift a / b to the next integer.
--
-- Time. It never goes backwards: the script decides at `now`, the latest of now_ms and the stored times of all states.
-- retry_ms and reset_ms are relative to now_ms.
--
-- Expiry. A key expires 1,000 ms after its state is full, by the clock of the caller that wrote it. For a caller whose
-- clock is behind, the state is full only later: without the stored time it would be granted the same quota twice. So
-- callers' clocks may differ by up to 1,000 ms. If they differ by more, every caller must pass 0 as now_ms.
--
-- Retry. A denied request is allowed when its largest retry_ms has passed, and not a millisecond earlier. So a
-- concurrency limit also denies the renewal of a lease if the other limits delay the request past the end of that lease
-- and no place is free by then. Its retry_ms is the time at which one is.
--
-- State. The packed state is `LIMITS|TIME NUMBERS`: the words of the limits as in ARGV, the time of the last charge, and
-- the numbers of each packed limit at that time. A token_bucket has one number, its debt: the fractions missing from a
-- full bucket. A fixed_window has the units of its window, a sliding_window those of its current and its previous window.
-- Limits that a call does not name stay in the state until they are full. It is an error to add a limit to these if that
-- makes more than 128 in all.
--
-- Several states. Each has its own text, time and expiry. What follows treats the limits of all states as one list: first
-- those of the call, in the order of the states, then the others in any of the states.
--
-- Speed. Parsing and formatting numbers, creating tables and closures, and calls take the time, not arithmetic. If a
-- call has exactly the limits of the state, the script compares one string and reads all numbers with one pattern.
-- Otherwise it parses the state word by word, so a subject that alternates between two sets of limits pays for that on
-- each call. The table `states` exists only in a call with several. Each word of a limit becomes a number once, in
-- place. The retry time of a packed limit is calculated only for denied requests.

local TWO_53 = 9007199254740992

-- How long a key outlives its state, and how many limits a state may have if the call does not name them all.
local GRACE_MS, MAX_LIMITS = 1000, 128

local call, concat, find, match, format, rep = redis.call, table.concat, string.find, string.match, string.format, string.rep
local tonumber = tonumber
local ARGV = ARGV

-- Returns an error. It has no upvalues, which makes it cheap to create.
local function expected(position, what, wanted)
  return redis.error_reply(string.format('ERR check.lua: ARGV[%d] (%s): expected %s, found %s',
    position, what, wanted, ARGV[position] or 'nothing'))
end

-- Arguments -------------------------------------------------------------------------------------------

-- Most counts and costs are 1, and comparing a string is faster than parsing it.
local now_ms, count = tonumber(ARGV[1]), ARGV[2] == '1' and 1 or tonumber(ARGV[2])
if not now_ms or now_ms < 0 or now_ms >= TWO_53 or now_ms % 1 ~= 0 then
  return expected(1, 'now_ms', 'an integer from 0')
end

-- Of several states each, with the number of its limits.
local states, state_count = nil, 1
if not count and find(ARGV[2] or '', ',', 1, true) then
  states, count = {}, 0
  for word in string.gmatch(ARGV[2] .. ',', '([^,]*),') do
    local own = find(word, '^%d+$') and tonumber(word) or 0
    if own < 1 or own >= TWO_53 then return expected(2, 'limits', 'integers from 1, joined by commas') end
    states[#states + 1], count = { count = own }, count + own
  end
  state_count = #states
end
if not count or count < 1 or count >= TWO_53 or count % 1 ~= 0 then
  return expected(2, 'limits', 'an integer from 1')
end

-- The position of the last word of the limits, how many numbers they have in the state, and how many sorted sets.
local limits_end, number_count, set_count, has_fixed_window, has_leases = 2, 0, 0, false, false
for _ = 1, count do
  local algorithm = ARGV[limits_end + 2]
  if algorithm == 'token_bucket' then
    limits_end, number_count = limits_end + 6, number_count + 1
  elseif algorithm == 'fixed_window' then
    limits_end, number_count, has_fixed_window = limits_end + 4, number_count + 1, true
  elseif algorithm == 'sliding_window' then
    limits_end, number_count = limits_end + 4, number_count + 2
  elseif algorithm == 'sliding_log' or algorithm == 'concurrency' then
    limits_end, set_count, has_leases = limits_end + 4, set_count + 1, has_leases or algorithm == 'concurrency'
  else
    return expected(limits_end + 2, 'algorithm', 'the name of an algorithm')
  end
end

-- Each state: the positions of the first and the last word of its limits, how many numbers they have in it (`size`), and
-- how many sorted sets.
if states then
  if #KEYS < state_count then
    return redis.error_reply(format('ERR check.lua: expected a key for each of %d states, found %d', state_count, #KEYS))
  end
  local word = 2
  for i, own in ipairs(states) do
    own.first, own.size, own.set_count = word + 1, 0, 0
    for _ = 1, own.count do
      local algorithm = ARGV[word + 2]
      if algorithm == 'sliding_log' or algorithm == 'concurrency' then
        own.set_count = own.set_count + 1
      else
        own.size = own.size + (algorithm == 'sliding_window' and 2 or 1)
      end
      word = word + (algorithm == 'token_bucket' and 6 or 4)
    end
    own.last = word
    for j = 1, i - 1 do
      if KEYS[i] == KEYS[j] then
        return redis.error_reply(format('ERR check.lua: expected a key for each state, found KEYS[%d] twice', j))
      end
    end
  end
end

-- The text of the limits, the text of the state, and the time and the numbers of the state if it has the limits of this
-- call and no others. A pattern has at most 32 captures.
local limits, state, numbers, same_limits
if states then
  same_limits = true
  for i, own in ipairs(states) do
    local size = own.size
    limits = concat(ARGV, ' ', own.first, ARGV[own.last] and own.last or #ARGV)
    state = size > 0 and call('GET', KEYS[i])
    numbers = state and size < 32 and find(state, limits, 1, true) == 1
      and { match(state, '^|(%d+)' .. rep(' (%d+)', size) .. '$', #limits + 1) }
    own.limits, own.state, own.numbers = limits, state, numbers
    same_limits = same_limits and numbers and numbers[1]
  end
else
  limits = concat(ARGV, ' ', 3, ARGV[limits_end] and limits_end or #ARGV)
  state = number_count > 0 and call('GET', KEYS[1])
  -- The pattern for one number, the most frequent one, is a constant.
  numbers = state and number_count < 32 and find(state, limits, 1, true) == 1 and {
    match(state, number_count == 1 and '^|(%d+) (%d+)$' or '^|(%d+)' .. rep(' (%d+)', number_count) .. '$', #limits + 1)
  }
  same_limits = numbers and numbers[1]
end

-- Words that are in the state have been validated before.
if not same_limits then
  if format('%d', TWO_53) ~= '9007199254740992' then
    return redis.error_reply('ERR check.lua: this server formats integers in 32 bits (use a build for 64)')
  end
  local problem
  local function integer(position, what, least)
    local text = ARGV[position]
    local number = text and find(text, '^%d+$') and tonumber(text)
    if number and number >= least and number < TWO_53 then return number end
    problem = problem or expected(position, what, 'an integer from ' .. least)
    return least
  end
  -- These two are numbers already, but may be in another notation, such as 1e3.
  integer(1, 'now_ms', 0)
  if not states then integer(2, 'limits', 1) end
  local at = 2
  for _ = 1, count do
    local name, algorithm, window = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
    if not find(name, '^[%w_.-]+$') then
      problem = problem or expected(at + 1, 'name', 'letters, digits, _ - .')
    end
    if algorithm ~= 'fixed_window' or window ~= 'month' then
      window = integer(at + 3, algorithm == 'concurrency' and 'lease_ms' or 'window_ms', 1)
    end
    if algorithm == 'token_bucket' then
      local burst = integer(at + 4, 'burst', 1)
      integer(at + 5, 'refill', 1)
      local fractions = integer(at + 6, 'fractions', 1)
      if burst * fractions >= TWO_53 then
        problem = problem or expected(at + 4, 'burst', 'less than 2^53 fractions')
      end
      at = at + 6
    else
      local limit = integer(at + 4, 'limit', 1)
      if algorithm == 'sliding_window' and limit * window >= TWO_53 then
        problem = problem or expected(at + 4, 'limit', 'less than 2^53 when multiplied by its window')
      end
      at = at + 4
    end
  end
  if problem then return problem end
end
local requests = ARGV[limits_end + 1]
requests = requests == '1' and 1 or requests and find(requests, '^%d+$') and tonumber(requests)
if not requests or requests < 1 or requests >= TWO_53 then
  return expected(limits_end + 1, 'requests', 'an integer from 1')
end
local arguments = limits_end + 1 + requests * (has_leases and 2 or 1)
if ARGV[arguments + 1] then
  return redis.error_reply(format('ERR check.lua: expected %d arguments, found %d', arguments, #ARGV))
end
if #KEYS ~= state_count + set_count then
  return redis.error_reply(format('ERR check.lua: these limits need %d keys, found %d', state_count + set_count, #KEYS))
end

if now_ms == 0 then
  local time = call('TIME')
  local micros = time[2] + 0
  now_ms = time[1] * 1000 + (micros - micros % 1000) / 1000
end
local now, time = now_ms, now_ms

-- Packed state ----------------------------------------------------------------------------------------

-- The words of the limits of this call and, behind `limits_end`, those of the other limits in the state; the entries of
-- these; and, unless `states` has it, the state.
local words, others, sole = ARGV, nil, nil

-- With several states, the state of each limit, and how long the limit takes to be full if it is packed.
local owners, fulls

if same_limits then
  time = numbers[1] + 0
  if states then
    local joined = { time }
    for _, own in ipairs(states) do
      own.time = own.numbers[1] + 0
      for i = 2, own.size + 1 do joined[#joined + 1] = own.numbers[i] end
    end
    numbers = joined
  end
elseif number_count > 0 then
  local NUMBERS = { token_bucket = 1, fixed_window = 1, sliding_window = 2, sliding_log = 0, concurrency = 0 }

  words, numbers, others = {}, { time }, {}
  for i = 1, limits_end do words[i] = ARGV[i] end
  local word = 2
  sole = { count = count, set_count = set_count, state = state }
  for _, own in ipairs(states or { sole }) do
    -- The limits of the state, in order, and by name, algorithm and window.
    local entries, known = {}, {}
    if own.state then
      local limits, rest = match(own.state, '^(.*)|(.*)$')
      local word, number = string.gmatch(limits, '%S+'), string.gmatch(rest, '%d+')
      own.time = number() + 0
      for name in word do
        local entry = { name, word(), word(), word(), numbers = {}, owner = own }
        if entry[2] == 'token_bucket' then entry[5], entry[6] = word(), word() end
        for i = 1, NUMBERS[entry[2]] do entry.numbers[i] = number() + 0 end
        entries[#entries + 1] = entry
        known[concat(entry, ' ', 1, 3)] = entry
      end
    end
    time = own.time or now_ms

    for _ = 1, own.count do
      local algorithm, entry = ARGV[word + 2], known[concat(ARGV, ' ', word + 1, word + 3)]
      if entry then
        entry.named = true
        if algorithm == 'token_bucket' then
          local burst, refill, fractions = ARGV[word + 4] + 0, ARGV[word + 5] + 0, ARGV[word + 6] + 0
          local before = entry[6] + 0
          if entry[4] + 0 ~= burst or entry[5] + 0 ~= refill or before ~= fractions then
            -- The limit has changed, and perhaps the size of a fraction. A partly used unit counts as a whole one, and
            -- the debt is at most the new burst. The debt refills at the new rate from its time on.
            local debt = entry.numbers[1]
            local units = (debt - debt % before) / before + (debt % before > 0 and 1 or 0)
            entry.numbers[1] = math.min(units, burst) * fractions
          end
        end
      elseif NUMBERS[algorithm] > 0 then
        own.adds_limit = true
      end
      for i = 1, NUMBERS[algorithm] do numbers[#numbers + 1] = entry and entry.numbers[i] or 0 end
      word = word + (algorithm == 'token_bucket' and 6 or 4)
    end

    -- The others. Those with a sorted set have nothing in the state to retain.
    for _, entry in ipairs(entries) do
      if not entry.named and entry.numbers[1] then others[#others + 1] = entry end
    end
  end
  for _, entry in ipairs(others) do
    for _, text in ipairs(entry) do words[#words + 1] = text end
    for _, number in ipairs(entry.numbers) do numbers[#numbers + 1] = number end
    has_fixed_window = has_fixed_window or entry[2] == 'fixed_window'
  end
end
if time > now then now = time end
if states then
  owners, fulls = {}, {}
  for _, own in ipairs(states) do
    own.time = own.time or now_ms
    now = math.max(now, own.time)
    for _ = 1, own.count do owners[#owners + 1] = own end
  end
  for _, entry in ipairs(others or {}) do owners[#owners + 1] = entry.owner end
end

-- Sorted sets -----------------------------------------------------------------------------------------
--
-- sliding_log: one entry per allowed request, scored by its time. All units that the log has ever allowed are numbered.
-- A member is `laps offset:cost` without the space; laps * 2^53 + offset is the number of units before it. So members
-- are unique, the entries of one millisecond are in order, and the units between two entries are the difference of
-- their numbers, however many entries are between them.
--
-- concurrency: one member per lease, scored by its expiry.

-- By position of the limit: its `used` units or leases are those `stored` in the set and those `added` by this call.
local sets, wait_for, deny_lapsing_renewals, charge, budget, save

if set_count > 0 then
  -- Decodes an entry of a log, { member, score }.
  local function decode(entry)
    local laps, offset, cost = match(entry[1], '^(......)(%d+):(%d+)$')
    return { laps = laps + 0, offset = offset + 0, cost = cost + 0, time = entry[2] + 0 }
  end

  -- The number of units between the starts of two entries; below 2^53.
  local function units_between(a, b)
    return b.offset - a.offset + (b.laps - a.laps) * TWO_53
  end

  sets = {}
  local word, key = 2, state_count
  for i = 1, count do
    local algorithm = ARGV[word + 2]
    if algorithm == 'sliding_log' or algorithm == 'concurrency' then
      key = key + 1
      local limit = {
        algorithm = algorithm, window = ARGV[word + 3] + 0, limit = ARGV[word + 4] + 0, key = KEYS[key],
        used = 0, stored = 0, added = {},
      }
      if algorithm == 'sliding_log' then
        local newest = call('ZRANGE', limit.key, -1, -1, 'WITHSCORES')
        if newest[1] then
          limit.newest = decode(newest)
          now = math.max(now, limit.newest.time)
        end
      end
      sets[i] = limit
    end
    word = word + (algorithm == 'token_bucket' and 6 or 4)
  end

  -- Now that `now` is known: what has not expired. `first` is the oldest entry in the window of a log; the units of the
  -- window are counted from it.
  for i = 1, count do
    local limit = sets[i]
    if limit and limit.algorithm == 'concurrency' then
      limit.expired = format('%.0f', now)
      limit.stored = call('ZCOUNT', limit.key, '(' .. limit.expired, '+inf')
    elseif limit then
      limit.expired = format('%.0f', now - limit.window)
      if limit.newest and limit.newest.time > now - limit.window then
        limit.first = decode(
          call('ZRANGEBYSCORE', limit.key, '(' .. limit.expired, '+inf', 'WITHSCORES', 'LIMIT', 0, 1))
        limit.stored = units_between(limit.first, limit.newest) + limit.newest.cost
      else
        limit.newest = nil
        limit.first = { laps = 0, offset = 0 }
      end
    end
    if limit then limit.used = limit.stored end
  end

  -- Returns the time of the entry that holds the n-th unit of the window. The search guesses by proportion, which finds
  -- it at once if costs are equal, and halves the range on every second step, so that no mix of costs takes more than
  -- 2 log2 of the number of entries.
  local function time_of_unit(limit, n)
    if n <= limit.first.cost then return limit.first.time end
    local low = call('ZCOUNT', limit.key, '-inf', limit.expired) + 1
    local high = call('ZCARD', limit.key) - 1
    -- Units before the entry `low`, and up to the end of the entry `high`.
    local low_units, high_units = limit.first.cost, limit.stored
    local halve = false
    while low <= high do
      local share = halve and 0.5 or (n - low_units - 1) / (high_units - low_units)
      local guess = math.min(low + math.floor((high - low + 1) * share), high)
      local entry = decode(call('ZRANGE', limit.key, guess, guess, 'WITHSCORES'))
      local start = units_between(limit.first, entry)
      if n <= start then
        high, high_units = guess - 1, start
      elseif n > start + entry.cost then
        low, low_units = guess + 1, start + entry.cost
      else
        return entry.time
      end
      halve = not halve
    end
    -- Entries were removed by hand. The newest one is late enough for every unit.
    return limit.newest.time
  end

  -- Returns the expiry of a lease, taken by this call or before; 0 if there is none.
  local function lease_expiry(limit, lease)
    if limit.added[lease] then return now + limit.window end
    return tonumber(call('ZSCORE', limit.key, lease) or 0)
  end

  -- Returns the n-th earliest expiry of the live leases: those in the set that this call has not renewed, and those
  -- that this call has taken, which all end at the same time.
  local function nth_expiry(limit, n)
    local live = '(' .. limit.expired
    if #limit.added == 0 then
      return tonumber(call('ZRANGEBYSCORE', limit.key, live, '+inf', 'WITHSCORES', 'LIMIT', n - 1, 1)[2])
    end
    local entries, expiries = call('ZRANGEBYSCORE', limit.key, live, '+inf', 'WITHSCORES'), {}
    for i = 1, #entries, 2 do
      if not limit.added[entries[i]] then expiries[#expiries + 1] = tonumber(entries[i + 1]) end
    end
    for _ = 1, #limit.added do expiries[#expiries + 1] = now + limit.window end
    table.sort(expiries)
    return expiries[n]
  end

  -- Returns the time at which a place is free, of a limit that has none: all leases in excess have ended, and one more.
  local function free_at(limit)
    return nth_expiry(limit, limit.used - limit.limit + 1)
  end

  -- Returns the milliseconds from `now` until the limit allows the request; 0 = it does now, -1 = it never can.
  function wait_for(limit, cost, lease)
    if limit.algorithm == 'concurrency' then
      if limit.used < limit.limit or lease_expiry(limit, lease) > now then return 0 end
      return free_at(limit) - now
    end
    if cost > limit.limit then return -1 end
    local excess = cost - (limit.limit - limit.used)
    if excess <= 0 then return 0 end
    if excess > limit.stored then return limit.window end
    return time_of_unit(limit, excess) + limit.window - now
  end

  -- Corrects the reply to a denied request, which ends at `reply[size]`. A concurrency limit that allows it only as the
  -- renewal of a live lease must deny it if, at the time of the retry, that lease has ended and no place is free. That
  -- delays the retry, perhaps past the end of another lease. No limit denies for this reason twice.
  --
  -- If there are no more live leases than the limit allows, the first one that ends leaves a place free.
  function deny_lapsing_renewals(reply, size, lease)
    local gaps, retry = {}, 0
    for i = 1, count do
      local limit, at = sets[i], size - 3 * (count - i) - 1
      if reply[at] < 0 then return end
      retry = math.max(retry, reply[at])
      if limit and limit.algorithm == 'concurrency' and limit.wait == 0 and limit.used > limit.limit then
        gaps[#gaps + 1] = { at = at, from = lease_expiry(limit, lease) - now_ms, to = free_at(limit) - now_ms }
      end
    end
    repeat
      local before = retry
      for _, gap in ipairs(gaps) do
        if gap.from <= before and before < gap.to then
          reply[gap.at], retry = gap.to, math.max(retry, gap.to)
        end
      end
    until retry == before
  end

  function charge(limit, cost, lease)
    local added = limit.added
    if limit.algorithm == 'concurrency' then
      if added[lease] then return end
      if lease_expiry(limit, lease) <= now then limit.used = limit.used + 1 end
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

  -- Returns what remains, and the milliseconds from `now` until the limit is full.
  function budget(limit)
    local full = 0
    if limit.algorithm == 'concurrency' then
      if limit.used > 0 then
        local newest = call('ZRANGE', limit.key, -1, -1, 'WITHSCORES')
        if limit.added[newest[1]] then
          full = nth_expiry(limit, limit.used) - now
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

  function save(limit)
    local score, members = format('%.0f', limit.algorithm == 'concurrency' and now + limit.window or now), {}
    for _, member in ipairs(limit.added) do
      members[#members + 1] = score
      members[#members + 1] = member
    end
    local _, full = budget(limit)
    -- Lua passes at most a few thousand values to a function.
    for from = 1, #members, 1000 do
      call('ZADD', limit.key, unpack(members, from, math.min(from + 999, #members)))
    end
    -- After ZADD, so that the key always exists: while a slot moves, its old node rejects a key that it does not have.
    call('ZREMRANGEBYSCORE', limit.key, '-inf', limit.expired)
    call('PEXPIRE', limit.key, format('%.0f', full + now - now_ms + GRACE_MS))
  end
end

-- Advance to now --------------------------------------------------------------------------------------

local end_of_window, ends

if has_fixed_window then
  ends = {}

  local function floor_div(a, b) return (a - a % b) / b end

  -- Returns the time at which a calendar month (UTC) starts. Month 0 is January 1970.
  local function start_of_month(month)
    local in_year = month % 12
    local year = 1970 + (month - in_year) / 12
    -- The last year whose leap day can be before this month; 477 leap days are before 1970. The days of the months
    -- before: Reingold and Dershowitz, "Calendrical Calculations", fixed-from-gregorian.
    local leap = in_year < 2 and year - 1 or year
    local leap_days = floor_div(leap, 4) - floor_div(leap, 100) + floor_div(leap, 400) - 477
    local days = floor_div(367 * in_year + 5, 12) - (in_year < 2 and 0 or 2)
    return ((year - 1970) * 365 + leap_days + days) * 86400000
  end

  -- Returns the end of the window that contains `time`. `window` is nil for a month.
  function end_of_window(window, time)
    if window then return time - time % window + window end
    -- A guess by the mean length of a month is at most one month off.
    local month = floor_div(time, 2629746000)
    while start_of_month(month) <= time do month = month + 1 end
    return start_of_month(month)
  end
end

-- The numbers of the packed limits become those at `now`. Their words become numbers: of a bucket its burst, from here
-- on in fractions, its refill and its fractions per unit; of a window its limit and, if it slides, its length.
local total = others and count + #others or count
local word, number = 2, 1
for i = 1, total do
  local algorithm = words[word + 2]
  if owners then time = owners[i].time end
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
      local window, used = tonumber(words[word + 3]), numbers[number] + 0
      ends[i] = end_of_window(window, time)
      if ends[i] <= now then used, ends[i] = 0, end_of_window(window, now) end
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

-- Verdicts --------------------------------------------------------------------------------------------

local ahead = now - now_ms
-- The reply has room for one request with two limits before it grows.
local reply, size, charged, longest = { nil, nil, nil, nil, nil, nil, nil, nil }, 0, false, 0
local at = limits_end + 1
for _ = 1, requests do
  at = at + 1
  -- One cost for all limits; or in `each` one for each limit, and in `cost` the largest, which is not 0.
  local cost, lease, each = ARGV[at], nil, nil
  if cost == '1' then
    cost = 1
  elseif cost and find(cost, '^%d+$') then
    cost = tonumber(cost)
  elseif cost then
    local list, largest = {}, 0
    for word in string.gmatch(cost .. ',', '([^,]*),') do
      list[#list + 1] = find(word, '^%d+$') and tonumber(word) or TWO_53
      largest = math.max(largest, list[#list])
    end
    cost, each = #list == count and largest, largest > 0 and list
  end
  if not cost or cost >= TWO_53 then return expected(at, 'cost', 'an integer from 0') end
  if has_leases then
    at = at + 1
    lease = ARGV[at]
    if not lease or #lease > 200 or not find(lease, '^[!-~]+$') then
      return expected(at, 'lease', '1 to 200 characters without space')
    end
  end

  -- Do all limits allow it?
  local allowed, charges = 1, cost > 0
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
        sets[i].wait = wait_for(sets[i], cost, lease)
        if sets[i].wait ~= 0 then allowed = 0 end
      end
      word = word + 4
    end
  end

  -- Charge it, and reply for each limit. Limits behind `count`, which the call does not name, only count for `longest`:
  -- the time until the last packed limit is full.
  local take = allowed == 1 and cost or 0
  if allowed == 1 and charges then charged = true end
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
        if take > 0 then charge(sets[i], take, lease) end
        remaining, full = budget(sets[i])
      end
      if remaining < 0 then remaining = 0 end
      word = word + 4
    end
    if fulls then fulls[i] = sets and sets[i] and 0 or full end
    if i <= count then
      reply[size + 1] = remaining
      reply[size + 2] = wait > 0 and wait + ahead or wait
      reply[size + 3] = full > 0 and full + ahead or 0
      size = size + 3
    end
  end
  if has_leases and allowed == 0 then deny_lapsing_renewals(reply, size, lease) end
end

-- Writes ----------------------------------------------------------------------------------------------

-- A charge may leave every packed limit full, if its cost is 0 at each of them. Then there is nothing to store.
local writes_state = charged and number_count > 0 and longest > 0
if writes_state and (states or total > count) then
  writes_state = false
  -- The last of the numbers before those of the state.
  local before = 1
  for i = 1, state_count do
    local own, size = sole, number_count
    if states then
      own = states[i]
      limits, size, longest = own.limits, own.size, 0
      for j = 1, total do
        if owners[j] == own then longest = math.max(longest, fulls[j]) end
      end
    end
    local values, first, last = numbers, before + 1, before + size
    before = last
    if size > 0 and longest > 0 then
      if total > count then
        -- Of the other limits, the state retains those that are not full.
        local retained = { limits }
        values, first, last = { unpack(numbers, first, last) }, 1, size
        word, number = limits_end, number_count + 1
        for j = 1, total - count do
          local algorithm = words[word + 2]
          local one, two = numbers[number + 1], algorithm == 'sliding_window' and numbers[number + 2]
          if (not owners or owners[count + j] == own) and (one > 0 or two and two > 0) then
            retained[#retained + 1] = concat(others[j], ' ')
            values[last + 1], values[last + 2] = one, two or nil
            last = last + (two and 2 or 1)
          end
          word, number = word + (algorithm == 'token_bucket' and 6 or 4), number + (two and 2 or 1)
        end
        local limit_count = own.count - own.set_count + #retained - 1
        if own.adds_limit and limit_count > MAX_LIMITS then
          return redis.error_reply(format('ERR check.lua: KEYS[%d] (state): expected at most %d limits, found %d '
            .. '(name limits that it has, or reset the subject)', i, MAX_LIMITS, limit_count))
        end
        limits = concat(retained, ' ')
      end
      own.text = format('%s|%d' .. rep(' %d', last - first + 1), limits, now, unpack(values, first, last))
      own.ms = format('%d', longest + ahead + GRACE_MS)
    end
  end
  -- All errors are returned before the first write, because a script cannot undo one.
  for i, own in ipairs(states or { sole }) do
    if own.text then call('SET', KEYS[i], own.text, 'PX', own.ms) end
  end
end
if writes_state then
  -- A state with the limits of this call and no others.
  numbers[1] = now
  local layout = number_count == 1 and '%s|%d %d' or '%s|%d' .. rep(' %d', number_count)
  call('SET', KEYS[1], format(layout, limits, unpack(numbers, 1, number_count + 1)),
    'PX', format('%d', longest + ahead + GRACE_MS))
end
if charged and set_count > 0 then
  for i = 1, count do
    if sets[i] and #sets[i].added > 0 then save(sets[i]) end
  end
end

reply[size + 1] = now_ms
return reply
