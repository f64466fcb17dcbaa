-- Takes a lock for a while unless somebody else holds it, and hands out a fencing token that is higher than
-- every one before.
--
-- KEYS[1]    lock      string, TOKEN:OWNER: who holds it; expires with the lease
-- KEYS[2]    fence     string: the newest token; never goes down, so it never expires; if it is lost, tokens go on from
--                      that of the lease that the owner has, or from 1
-- ARGV[1]    owner     who wants it: 1 byte or more
-- ARGV[2]    ttl_ms    milliseconds that the lease lasts, 1 or more
-- returns    acquired  0 | 1
--            token     the fencing token, from 1; 0 if refused
--            free_ms   until the holder's lease ends at the latest, -1 = it never does; 0 if acquired
-- example    redis-cli --eval lua/lock_acquire.lua 'sg:1:{lock:report}' 'sg:1:{lock:report}:fence' , worker-1 30000
--
-- An owner that holds the lock already gets a new lease and a new token, and the token before it no longer
-- renews or releases. So an owner whose first answer was lost simply asks again: it is neither locked out by
-- itself, nor can a part of it that was left behind with the first token do harm.

local TWO_53 = 9007199254740992

local owner = ARGV[1]
local ttl = ARGV[2] and string.find(ARGV[2], '^%d+$') and tonumber(ARGV[2])

local function refuse(position, what, wanted)
  return redis.error_reply(string.format('ERR lock_acquire.lua: ARGV[%d] (%s): expected %s, found %s',
    position, what, wanted, ARGV[position] or 'nothing'))
end

if #KEYS ~= 2 then
  return redis.error_reply(string.format('ERR lock_acquire.lua: expected 2 keys, found %d', #KEYS))
end
if not owner or owner == '' then return refuse(1, 'owner', '1 byte or more') end
if not ttl or ttl < 1 or ttl >= TWO_53 then return refuse(2, 'ttl_ms', 'an integer from 1') end
if #ARGV ~= 2 then
  return redis.error_reply(string.format('ERR lock_acquire.lua: expected 2 arguments, found %d', #ARGV))
end

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
if token >= TWO_53 then
  return redis.error_reply('ERR lock_acquire.lua: KEYS[2] (fence): all tokens below 2^53 are used')
end
redis.call('SET', KEYS[1], string.format('%.0f:', token) .. owner, 'PX', string.format('%.0f', ttl))
return { 1, token, 0 }
