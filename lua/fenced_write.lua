-- Writes a value that a lock guards, if the writer's token is the newest that the lock has handed out and no newer token
-- has written this value.
--
-- A token above the lock's counter was never handed out: without this rule, one write with an invented token would block
-- all real ones. If there is no counter, no token was handed out or the counter is lost: every token is rejected, and the
-- holder must acquire the lock again.
--
-- KEYS[1]    value     string: the value to write
-- KEYS[2]    newest    string: the newest token that wrote the value; only grows and never expires
-- KEYS[3]    fence     string: the newest token that the lock handed out
-- ARGV[1]    token     the writer's fencing token, from 1
-- ARGV[2]    new       the new value
-- ARGV[3]    expiry    of the value: keep (the current one, or none) | never | milliseconds, 1 or more
-- returns    written   0 | 1
--            newest    the newest token known: the writer's own if written; 0 = none
-- example    redis-cli --eval lua/fenced_write.lua 'sg:1:{lock:a}:value:b' 'sg:1:{lock:a}:newest:b' 'sg:1:{lock:a}:fence' , 1 hello never

local function integer(text)
  local number = tonumber(string.match(text or '', '^%d+$')) or 0
  return number >= 1 and number < 2 ^ 53 and number
end

local token, new, expiry = integer(ARGV[1]), ARGV[2], ARGV[3]
local ttl = integer(expiry)
local options = expiry == 'keep' and { 'KEEPTTL' } or expiry == 'never' and {}
  or ttl and { 'PX', string.format('%.0f', ttl) }

local problem = #KEYS ~= 3 and 'expected 3 keys, found ' .. #KEYS
  or not token and 'ARGV[1] (token): expected an integer from 1, found ' .. (ARGV[1] or 'nothing')
  or not new and 'ARGV[2] (new): expected a string, found nothing'
  or not options and 'ARGV[3] (expiry): expected keep, never or an integer from 1, found ' .. (expiry or 'nothing')
  or #ARGV ~= 3 and 'expected 3 arguments, found ' .. #ARGV
if problem then return redis.error_reply('ERR fenced_write.lua: ' .. problem) end

-- `written` outlives the loss of the lock's counter. The counter is ahead of it as soon as another owner has acquired
-- the lock and may have read the value.
local written, handed_out = tonumber(redis.call('GET', KEYS[2]) or 0), tonumber(redis.call('GET', KEYS[3]) or 0)
if token ~= handed_out or token < written then return { 0, math.max(written, handed_out) } end

if token > written then redis.call('SET', KEYS[2], string.format('%.0f', token)) end
redis.call('SET', KEYS[1], new, unpack(options))
return { 1, token }
