-- Gives a lock back, if it is still held with this token by this owner. Doing it twice is harmless.
--
-- KEYS[1]    lock      string, TOKEN:OWNER: who holds it; expires with the lease
-- ARGV[1]    owner     who releases: 1 byte or more
-- ARGV[2]    token     the fencing token of the holder, from 1
-- returns    released  1; 0 = not held with this token: released before, ended, or taken with a newer token
-- example    redis-cli --eval lua/lock_release.lua 'sg:1:{lock:report}' , worker-1 1

local TWO_53 = 9007199254740992

local owner = ARGV[1]
local token = ARGV[2] and string.find(ARGV[2], '^%d+$') and tonumber(ARGV[2])

local function refuse(position, what, wanted)
  return redis.error_reply(string.format('ERR lock_release.lua: ARGV[%d] (%s): expected %s, found %s',
    position, what, wanted, ARGV[position] or 'nothing'))
end

if #KEYS ~= 1 then
  return redis.error_reply(string.format('ERR lock_release.lua: expected 1 key, found %d', #KEYS))
end
if not owner or owner == '' then return refuse(1, 'owner', '1 byte or more') end
if not token or token < 1 or token >= TWO_53 then return refuse(2, 'token', 'an integer from 1') end
if #ARGV ~= 2 then
  return redis.error_reply(string.format('ERR lock_release.lua: expected 2 arguments, found %d', #ARGV))
end

if redis.call('GET', KEYS[1]) ~= string.format('%.0f:', token) .. owner then return 0 end
return redis.call('DEL', KEYS[1])
