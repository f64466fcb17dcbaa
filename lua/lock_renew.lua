-- Renews the lease of a lock if this owner holds it with this token.
--
-- KEYS[1]    lock      string, TOKEN:OWNER: the holder of the lock; expires with the lease
-- ARGV[1]    owner     who renews the lease: 1 byte or more
-- ARGV[2]    token     the holder's fencing token, from 1
-- ARGV[3]    ttl_ms    milliseconds from now until the lease ends, 1 or more
-- returns    renewed   1; 0 = not held with this token: the lease has ended, or a newer token was handed out
-- example    redis-cli --eval lua/lock_renew.lua 'sg:1:{lock:report}' , worker-1 1 30000

local owner, token = ARGV[1], tonumber(string.match(ARGV[2] or '', '^%d+$')) or 0
local ttl = tonumber(string.match(ARGV[3] or '', '^%d+$')) or 0
local problem = #KEYS ~= 1 and 'expected 1 key, found ' .. #KEYS
  or (not owner or owner == '') and 'ARGV[1] (owner): expected 1 byte or more, found ' .. (owner or 'nothing')
  or (token < 1 or token >= 2 ^ 53) and 'ARGV[2] (token): expected an integer from 1, found ' .. (ARGV[2] or 'nothing')
  or (ttl < 1 or ttl >= 2 ^ 53) and 'ARGV[3] (ttl_ms): expected an integer from 1, found ' .. (ARGV[3] or 'nothing')
  or #ARGV ~= 3 and 'expected 3 arguments, found ' .. #ARGV
if problem then return redis.error_reply('ERR lock_renew.lua: ' .. problem) end

if redis.call('GET', KEYS[1]) ~= string.format('%.0f:', token) .. owner then return 0 end
return redis.call('PEXPIRE', KEYS[1], string.format('%.0f', ttl))
