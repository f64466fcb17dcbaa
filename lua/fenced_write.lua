-- Writes a value that a lock guards, if the writer's token is the newest that the lock has handed out and no newer one
-- has written this value before.
--
-- A token above the lock's counter was never handed out. Where there is no counter, none was, or the counter is lost: no
-- token is believed then, and its holder takes the lock anew. Else one write with a token that somebody made up would keep
-- all real ones from the value.
--
-- KEYS[1]    value     string: what is to be written
-- KEYS[2]    newest    string: the newest token that wrote the value; never goes down, so it never expires
-- KEYS[3]    fence     string: the newest token that the lock handed out
-- ARGV[1]    token     the writer's fencing token, from 1
-- ARGV[2]    new       what to write
-- ARGV[3]    expiry    of the value: keep (the one it has, or none) | never | milliseconds, 1 or more
-- returns    written   0 | 1
--            newest    the newest token known: the writer's own if written; 0 = none
-- example    redis-cli --eval lua/fenced_write.lua 'sg:1:{lock:a}:value:b' 'sg:1:{lock:a}:newest:b' 'sg:1:{lock:a}:fence' , 1 hello never

local TWO_53 = 9007199254740992

local token = ARGV[1] and string.find(ARGV[1], '^%d+$') and tonumber(ARGV[1])
local new, expiry = ARGV[2], ARGV[3]

local function refuse(position, what, wanted)
  return redis.error_reply(string.format('ERR fenced_write.lua: ARGV[%d] (%s): expected %s, found %s',
    position, what, wanted, ARGV[position] or 'nothing'))
end

if #KEYS ~= 3 then
  return redis.error_reply(string.format('ERR fenced_write.lua: expected 3 keys, found %d', #KEYS))
end
if not token or token < 1 or token >= TWO_53 then return refuse(1, 'token', 'an integer from 1') end
if not new then return refuse(2, 'new', 'a string') end
if expiry ~= 'keep' and expiry ~= 'never' then
  local ttl = expiry and string.find(expiry, '^%d+$') and tonumber(expiry)
  if not ttl or ttl < 1 or ttl >= TWO_53 then
    return refuse(3, 'expiry', 'keep, never or an integer from 1')
  end
  expiry = string.format('%.0f', ttl)
end
if #ARGV ~= 3 then
  return redis.error_reply(string.format('ERR fenced_write.lua: expected 3 arguments, found %d', #ARGV))
end

-- The token beside the value still stands if the lock's counter was lost; the counter is ahead of it from
-- the moment that somebody else has taken the lock, and may have read the value.
local written, handed_out = tonumber(redis.call('GET', KEYS[2]) or 0), tonumber(redis.call('GET', KEYS[3]) or 0)
if token ~= handed_out or token < written then return { 0, math.max(written, handed_out) } end

if token > written then redis.call('SET', KEYS[2], string.format('%.0f', token)) end
if expiry == 'keep' then
  redis.call('SET', KEYS[1], new, 'KEEPTTL')
elseif expiry == 'never' then
  redis.call('SET', KEYS[1], new)
else
  redis.call('SET', KEYS[1], new, 'PX', expiry)
end
return { 1, token }
