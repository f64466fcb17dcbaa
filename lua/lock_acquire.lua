-- Acquires a lock for a limited time, unless another owner holds it, and hands out a fencing token that is higher than
-- every one before.
--
-- KEYS[1]    lock      string, TOKEN:OWNER: the holder of the lock; expires with the lease
-- KEYS[2]    fence     string: the newest token; only grows and never expires. If it is lost, tokens continue after that
--                      of the lease that the owner holds, or from 1
-- ARGV[1]    owner     who acquires the lock: 1 byte or more
-- ARGV[2]    ttl_ms    milliseconds until the lease ends, 1 or more
-- returns    acquired  0 | 1
--            token     the fencing token, from 1; 0 if not acquired
--            free_ms   milliseconds until the holder's lease ends, -1 = it never does; 0 if acquired
-- example    redis-cli --eval lua/lock_acquire.lua 'sg:1:{lock:report}' 'sg:1:{lock:report}:fence' , worker-1 30000
--
-- An owner that already holds the lock gets a new lease and a new token; its previous token can no longer renew or
-- release the lock. So an owner that did not receive the first reply tries again: it does not lock itself out, and a
-- part of it that still has the first token can do no harm.

local owner, ttl = ARGV[1], tonumber(string.match(ARGV[2] or '', '^%d+$')) or 0
local problem = #KEYS ~= 2 and 'expected 2 keys, found ' .. #KEYS
  or (not owner or owner == '') and 'ARGV[1] (owner): expected 1 byte or more, found ' .. (owner or 'nothing')
  or (ttl < 1 or ttl >= 2 ^ 53) and 'ARGV[2] (ttl_ms): expected an integer from 1, found ' .. (ARGV[2] or 'nothing')
  or #ARGV ~= 2 and 'expected 2 arguments, found ' .. #ARGV
if problem then return redis.error_reply('ERR lock_acquire.lua: ' .. problem) end

local held = redis.call('GET', KEYS[1])
if held and string.match(held, '^%d+:(.*)$') ~= owner then
  return { 0, 0, redis.call('PTTL', KEYS[1]) }
end

local token = redis.call('INCR', KEYS[2])
local before = held and tonumber(string.match(held, '^%d+')) or 0
if token <= before then
  token = before + 1
  redis.call('SET', KEYS[2], string.format('%.0f', token))
end
if token >= 2 ^ 53 then
  return redis.error_reply('ERR lock_acquire.lua: KEYS[2] (fence): all tokens below 2^53 are used')
end
redis.call('SET', KEYS[1], string.format('%.0f:', token) .. owner, 'PX', string.format('%.0f', ttl))
return { 1, token, 0 }
