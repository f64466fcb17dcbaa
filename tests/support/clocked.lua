-- Runs SCRIPT between two looks: see clocked.rs. The last arguments, one a key, are the milliseconds that it has left:
-- 0 = it has expired, -1 = nothing is known.
--
-- In Redis every key lives a quarter of an hour longer than the script wants: how fast the machine is decides nothing.

local real, LONGER = redis, 900000

local function clock()
  local time = real.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local function expire(key, ms)
  return real.call('PEXPIRE', key, string.format('%.0f', ms + LONGER))
end
local function left(key)
  local ms = real.call('PTTL', key)
  return ms < 0 and ms or math.max(ms - LONGER, 0)
end
local redis = setmetatable({}, { __index = real })
function redis.call(command, ...)
  local words = { ... }
  local last = #words
  local ms = tonumber(words[last])
  if command == 'PTTL' then
    return left(words[1])
  elseif command == 'PEXPIRE' then
    ms = MISTAKE
    return ms and expire(words[1], ms) or 0
  elseif command == 'SET' and words[last - 1] == 'PX' then
    ms = MISTAKE
    local reply = real.call(command, words[1], words[2])
    if ms then expire(words[1], ms) end
    return reply
  end
  return real.call(command, unpack(words))
end
local before = clock()
for i = #KEYS, 1, -1 do
  local ms = tonumber(table.remove(ARGV))
  if ms == 0 then
    real.call('DEL', KEYS[i])
  elseif ms > 0 then
    expire(KEYS[i], ms)
  end
end
local reply = (function() 
SCRIPT
end)()
if type(reply) == 'table' and reply.err then return reply end
local lives = {}
for i, key in ipairs(KEYS) do
  lives[i] = left(key)
  real.call('PERSIST', key)
end
return { reply, lives, clock() - before }
