-- Resets a subject: deletes its keys, so that all its limits are full.
--
-- KEYS[1..]  key      string or sorted set: all keys of the subject, which are its packed state, one set for each
--                     sliding_log and concurrency limit, and the set of its settled requests
-- ARGV       none
-- returns    existed  number of keys deleted
-- example    redis-cli --eval lua/reset.lua 'sg:1:{ip:203.0.113.7}' 'sg:1:{ip:203.0.113.7}:log:day' 'sg:1:{ip:203.0.113.7}:settled'

if #KEYS < 1 then
  return redis.error_reply('ERR reset.lua: expected 1 key or more, found 0')
end
if #ARGV ~= 0 then
  return redis.error_reply(string.format('ERR reset.lua: expected 0 arguments, found %d', #ARGV))
end

-- UNLINK frees the memory of a long log in the background, DEL would block the server.
local existed = 0
for _, key in ipairs(KEYS) do existed = existed + redis.call('UNLINK', key) end
return existed
