-- Judges a batch of requests against all limits of one subject, in order, all or nothing: a request that
-- one limit refuses is charged to none, and changes nothing.
--
-- KEYS[1]    state     string: the packed state of the subject's token buckets
-- KEYS[2..]  logs      sorted set: one for each sliding_log limit, in the order of the limits
-- ARGV[1]    now_ms    milliseconds since the epoch; 0 = take the server's TIME
-- ARGV[2]    limits    how many limits follow; each is
--              name         1 or more of A-Z a-z 0-9 _ - .
--              algorithm    sliding_log | token_bucket
--              limit        units, 1 or more
--              window_ms    milliseconds, 1 or more
--              burst        units, 1 or more; token_bucket only
-- ARGV[..]   requests  how many requests follow; each is
--              cost         units; 0 = look without taking
-- returns    for each request a run of integers: allowed (0|1), then for each limit
--              remaining    units: the largest cost that a further request could have now
--              retry_ms     0 = this limit admitted it, -1 = it never can, else: refused until now_ms + retry_ms
--              reset_ms     until this limit is back at its full quota if nothing more comes
-- example    redis-cli --eval lua/check.lua 'sg:1:{ip:203.0.113.7}' , 0 1 burst token_bucket 20 10000 20 1 1
--
-- All arithmetic is on integers below 2^53, which a double holds exactly. Time never goes backwards: the
-- script judges at the latest of now_ms and the times it finds stored, and tells retry_ms and reset_ms from
-- now_ms. Every key expires when its state stops to matter.

local TWO_53 = 9007199254740992

local fmod, format = math.fmod, string.format

local function floor_div(a, b)
  return (a - fmod(a, b)) / b
end

local function ceil_div(a, b)
  local rest = fmod(a, b)
  return (a - rest) / b + (rest > 0 and 1 or 0)
end

local function gcd(a, b)
  while b > 0 do a, b = b, fmod(a, b) end
  return a
end

-- Reading the arguments -------------------------------------------------------------------------------

local position = 0

local function word()
  position = position + 1
  return ARGV[position]
end

-- The next argument as an integer of at least `least`, or nil and what is wrong.
local function integer(what, least)
  local text = word()
  local number = text and string.find(text, '^%d+$') and tonumber(text)
  if number and number >= least and number < TWO_53 then return number end
  return nil, format('ERR check.lua: ARGV[%d] (%s): expected an integer from %d, found %s',
    position, what, least, text or 'nothing')
end

-- Token bucket ----------------------------------------------------------------------------------------
--
-- A unit has `window / gcd(limit, window)` fractions; each millisecond refills `limit / gcd` of them, so
-- nothing is ever rounded. What is kept is the debt: fractions that are missing from the full bucket. The
-- debt outlives a change of the limit. An entry of the packed state is
-- `;name/token_bucket/window=until,time,debt,fractions`: `until` is when the bucket is full again.

local bucket = { packed = true }

function bucket.read(limit)
  local problem
  limit.burst, problem = integer('burst', 1)
  if problem then return problem end
  local divisor = gcd(limit.limit, limit.window)
  limit.fractions = limit.window / divisor
  limit.refill = limit.limit / divisor
  if limit.burst > floor_div(TWO_53, limit.fractions) then
    return format('ERR check.lua: ARGV[%d] (burst): the bucket does not fit into 2^53 fractions', position)
  end
  limit.capacity = limit.burst * limit.fractions
  limit.id = ';' .. limit.name .. '/token_bucket/' .. format('%.0f', limit.window) .. '='
end

-- Reads the limit's entry; its length in the packed state, and the time it was written.
function bucket.load(limit, state)
  limit.debt, limit.time = 0, 0
  local _, before = string.find(state, limit.id, 1, true)
  if not before then return 0, 0 end
  local time, debt, fractions, after = string.match(state, '^%d+,(%d+),(%d+),(%d+)()', before + 1)
  limit.time, limit.debt, fractions = tonumber(time), tonumber(debt), tonumber(fractions)
  if fractions ~= limit.fractions then
    -- The limit has changed, and with it the size of a fraction: a unit begun counts as a whole one.
    limit.debt = math.min(ceil_div(limit.debt, fractions), limit.burst) * limit.fractions
  end
  return after - before - 1 + #limit.id, limit.time
end

function bucket.advance(limit, now)
  local elapsed = now - limit.time
  if elapsed >= ceil_div(limit.debt, limit.refill) then
    limit.debt = 0
  else
    limit.debt = limit.debt - elapsed * limit.refill
  end
end

function bucket.wait(limit, cost)
  if cost > limit.burst then return -1 end
  local over = limit.debt - (limit.capacity - cost * limit.fractions)
  return over > 0 and ceil_div(over, limit.refill) or 0
end

function bucket.charge(limit, cost)
  limit.debt = limit.debt + cost * limit.fractions
end

function bucket.remaining(limit)
  return limit.debt < limit.capacity and floor_div(limit.capacity - limit.debt, limit.fractions) or 0
end

function bucket.full_in(limit)
  return ceil_div(limit.debt, limit.refill)
end

function bucket.entry(limit, now)
  return format('%s%.0f,%.0f,%.0f,%.0f', limit.id, now + bucket.full_in(limit), now, limit.debt, limit.fractions)
end

-- Sliding log -----------------------------------------------------------------------------------------
--
-- One entry an admitted request, its time as the score. All units that the log ever admitted are numbered;
-- a member is `laps offset:cost`, and laps * 2^53 + offset is how many came before it. So members are
-- unique, members of one millisecond stand in order, and the units between two entries are a subtraction
-- of their numbers, however many entries lie between. Units of the window are counted from `first`.

local log = { packed = false }

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

local function at_rank(limit, rank)
  return decode(redis.call('ZRANGE', limit.key, rank, rank, 'WITHSCORES'))
end

function log.load(limit)
  limit.used, limit.stored, limit.added = 0, 0, {}
  local newest = redis.call('ZRANGE', limit.key, -1, -1, 'WITHSCORES')
  limit.newest = newest[1] and decode(newest)
  return limit.newest and limit.newest.time or 0
end

function log.advance(limit, now)
  limit.expired = format('%.0f', now - limit.window)
  if limit.newest and limit.newest.time > now - limit.window then
    local oldest = redis.call('ZRANGEBYSCORE', limit.key, '(' .. limit.expired, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    limit.first = decode(oldest)
    limit.stored = units_between(limit.first, limit.newest) + limit.newest.cost
    limit.used = limit.stored
  else
    limit.newest = nil
    limit.first = { laps = 0, offset = 0 }
  end
end

-- The time of the entry that holds the n-th unit of the window. Guesses by proportion, which is right at
-- once where costs are equal, and every other time by halves, so that no mix of costs takes more than
-- 2 log2 of the entries.
local function time_of_unit(limit, n)
  if n <= limit.first.cost then return limit.first.time end
  local low = redis.call('ZCOUNT', limit.key, '-inf', limit.expired) + 1
  local high = redis.call('ZCARD', limit.key) - 1
  local before, upto = limit.first.cost, limit.stored
  local halve = false
  while low <= high do
    local share = halve and 0.5 or (n - before - 1) / (upto - before)
    local guess = math.min(low + math.floor((high - low + 1) * share), high)
    local entry = at_rank(limit, guess)
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

function log.wait(limit, cost, now)
  if cost > limit.limit then return -1 end
  local over = cost - (limit.limit - limit.used)
  if over <= 0 then return 0 end
  if over > limit.stored then return limit.window end
  return time_of_unit(limit, over) + limit.window - now
end

function log.charge(limit, cost)
  local laps, offset = limit.first.laps, limit.first.offset
  if offset >= TWO_53 - limit.used then
    laps, offset = laps + 1, offset - (TWO_53 - limit.used)
  else
    offset = offset + limit.used
  end
  limit.added[#limit.added + 1] = format('%06.0f%016.0f:%.0f', laps, offset, cost)
  limit.used = limit.used + cost
end

function log.remaining(limit)
  return math.max(limit.limit - limit.used, 0)
end

function log.full_in(limit, now)
  if #limit.added > 0 then return limit.window end
  return limit.newest and limit.newest.time + limit.window - now or 0
end

function log.save(limit, now, ahead)
  local score, members = format('%.0f', now), {}
  for _, member in ipairs(limit.added) do
    members[#members + 1] = score
    members[#members + 1] = member
  end
  redis.call('ZREMRANGEBYSCORE', limit.key, '-inf', limit.expired)
  for from = 1, #members, 1000 do
    redis.call('ZADD', limit.key, unpack(members, from, math.min(from + 999, #members)))
  end
  redis.call('PEXPIRE', limit.key, format('%.0f', limit.window + ahead))
end

-- The call --------------------------------------------------------------------------------------------

local algorithms = { token_bucket = bucket, sliding_log = log }

local now_ms, problem = integer('now_ms', 0)
if problem then return redis.error_reply(problem) end

local count
count, problem = integer('limits', 1)
if problem then return redis.error_reply(problem) end

local limits, keys, packs = {}, 1, false
for i = 1, count do
  local limit = { name = word() }
  if not limit.name or not string.find(limit.name, '^[%w_.-]+$') then
    return redis.error_reply(format('ERR check.lua: ARGV[%d] (name): expected letters, digits, _ - . , found %s',
      position, limit.name or 'nothing'))
  end
  local algorithm = word()
  limit.algorithm = algorithms[algorithm]
  if not limit.algorithm then
    return redis.error_reply(format('ERR check.lua: ARGV[%d] (algorithm): unknown: %s', position, algorithm or 'nothing'))
  end
  limit.limit, problem = integer('limit', 1)
  if problem then return redis.error_reply(problem) end
  limit.window, problem = integer('window_ms', 1)
  if problem then return redis.error_reply(problem) end
  if limit.algorithm.read then
    problem = limit.algorithm.read(limit)
    if problem then return redis.error_reply(problem) end
  end
  if limit.algorithm.packed then
    packs = true
  else
    keys = keys + 1
    limit.key = KEYS[keys]
  end
  limits[i] = limit
end
if #KEYS ~= keys then
  return redis.error_reply(format('ERR check.lua: these limits need %d keys, found %d', keys, #KEYS))
end

local requests
requests, problem = integer('requests', 1)
if problem then return redis.error_reply(problem) end
local costs = {}
for i = 1, requests do
  costs[i], problem = integer('cost', 0)
  if problem then return redis.error_reply(problem) end
end
if position ~= #ARGV then
  return redis.error_reply(format('ERR check.lua: expected %d arguments, found %d', position, #ARGV))
end

if now_ms == 0 then
  local time = redis.call('TIME')
  now_ms = time[1] * 1000 + floor_div(tonumber(time[2]), 1000)
end

local state = packs and redis.call('GET', KEYS[1]) or ''
local now, known = now_ms, 0
for _, limit in ipairs(limits) do
  local time, length
  if limit.algorithm.packed then
    length, time = limit.algorithm.load(limit, state)
    known = known + length
  else
    time = limit.algorithm.load(limit)
  end
  now = math.max(now, time)
end
for _, limit in ipairs(limits) do limit.algorithm.advance(limit, now) end

local ahead = now - now_ms
local reply, size, charged = {}, 0, false

for _, cost in ipairs(costs) do
  local allowed, waits = true, {}
  for i, limit in ipairs(limits) do
    waits[i] = limit.algorithm.wait(limit, cost, now)
    if waits[i] ~= 0 then allowed = false end
  end
  if allowed and cost > 0 then
    charged = true
    for _, limit in ipairs(limits) do limit.algorithm.charge(limit, cost) end
  end
  reply[size + 1] = allowed and 1 or 0
  size = size + 1
  for i, limit in ipairs(limits) do
    local full_in = limit.algorithm.full_in(limit, now)
    reply[size + 1] = limit.algorithm.remaining(limit)
    reply[size + 2] = waits[i] > 0 and waits[i] + ahead or waits[i]
    reply[size + 3] = full_in > 0 and full_in + ahead or 0
    size = size + 3
  end
end

if charged then
  local entries, last = {}, now
  for _, limit in ipairs(limits) do
    if limit.algorithm.packed then
      entries[#entries + 1] = limit.algorithm.entry(limit, now)
      last = math.max(last, now + limit.algorithm.full_in(limit, now))
    else
      limit.algorithm.save(limit, now, ahead)
    end
  end
  if packs then
    if known < #state then
      -- Entries of other limits of this subject stay until they stop to matter.
      local ours = {}
      for _, limit in ipairs(limits) do
        if limit.id then ours[limit.id] = true end
      end
      for id, ends, rest in string.gmatch(state, '(;[^=]*=)(%d+)([^;]*)') do
        if not ours[id] and tonumber(ends) > now then
          entries[#entries + 1] = id .. ends .. rest
          last = math.max(last, tonumber(ends))
        end
      end
    end
    redis.call('SET', KEYS[1], table.concat(entries), 'PX', format('%.0f', last - now_ms))
  end
end

return reply
