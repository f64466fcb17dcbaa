-- Releases a lock if this owner holds it with this token. Releasing it twice is harmless.
--
-- KEYS[1]    lock      string, TOKEN:OWNER: the holder of the lock; expires with the lease
-- ARGV[1]    owner     who releases the lock: 1 byte or more
-- ARGV[2]    token     the holder's fencing token, from 1
-- returns    released  1; 0 = not held with this token: already released, expired, or acquired with a newer token
-- example    redis-cli --eval lua/lock_release.lua 'sg:1:{lock:report}' , worker-1 1

local owner, token = ARGV[1], tonumber(string.match(ARGV[2] or '', '^%d+$')) or 0
local problem = #KEYS ~= 1 and 'expected 1 key, found ' .. #KEYS
  or (not owner or owner == '') and 'ARGV[1] (owner): expected 1 byte or more, found ' .. (owner or 'nothing')
  or (token < 1 or token >= 2 ^ 53) and 'ARGV[2] (token): expected an integer from 1, found ' .. (ARGV[2] or 'nothing')
  or #ARGV ~= 2 and 'expected 2 arguments, found ' .. #ARGV
if problem then return redis.error_reply('ERR lock_release.lua: ' .. problem) end

if redis.call('GET', KEYS[1]) ~= string.format('%.0f:', token) .. owner then return 0 end
return redis.call('DEL', KEYS[1])
