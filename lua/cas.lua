-- Compare-and-swap: creates, replaces or deletes a string only if what is there is what the caller believes.
--
-- KEYS[1]    value      string: what is to be changed
-- ARGV[1]    operation  create (only if nothing is there) | replace | delete
-- ARGV[2]    expected   what must be there, byte for byte; create: empty
-- ARGV[3]    new        what to write; delete: empty
-- ARGV[4]    expiry     keep (the one it has, or none) | never | milliseconds, 1 or more; delete: empty
-- returns    swapped    0 | 1
--            found      what was there instead: a string, or nil where nothing was; nil if swapped
-- example    redis-cli --eval lua/cas.lua 'sg:1:{flag:beta}' , create '' on 60000
--
-- An empty string is a value, nothing is none: they are told apart.

local TWO_53 = 9007199254740992

local operation, expected, new, expiry = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local function refuse(position, what, wanted)
  return redis.error_reply(string.format('ERR cas.lua: ARGV[%d] (%s): expected %s, found %s',
    position, what, wanted, ARGV[position] or 'nothing'))
end

if #KEYS ~= 1 then
  return redis.error_reply(string.format('ERR cas.lua: expected 1 key, found %d', #KEYS))
end
if operation ~= 'create' and operation ~= 'replace' and operation ~= 'delete' then
  return refuse(1, 'operation', 'create, replace or delete')
end
if not expected or operation == 'create' and expected ~= '' then
  return refuse(2, 'expected', operation == 'create' and 'an empty string' or 'a string')
end
if not new or operation == 'delete' and new ~= '' then
  return refuse(3, 'new', operation == 'delete' and 'an empty string' or 'a string')
end
if operation == 'delete' then
  if expiry ~= '' then return refuse(4, 'expiry', 'an empty string') end
elseif expiry ~= 'keep' and expiry ~= 'never' then
  local ttl = expiry and string.find(expiry, '^%d+$') and tonumber(expiry)
  if not ttl or ttl < 1 or ttl >= TWO_53 then
    return refuse(4, 'expiry', 'keep, never or an integer from 1')
  end
  expiry = string.format('%.0f', ttl)
end
if #ARGV ~= 4 then
  return redis.error_reply(string.format('ERR cas.lua: expected 4 arguments, found %d', #ARGV))
end

local found = redis.call('GET', KEYS[1])
local matches
if operation == 'create' then
  matches = not found
else
  matches = found == expected
end
if not matches then return { 0, found } end

if operation == 'delete' then
  redis.call('DEL', KEYS[1])
elseif expiry == 'keep' then
  redis.call('SET', KEYS[1], new, 'KEEPTTL')
elseif expiry == 'never' then
  redis.call('SET', KEYS[1], new)
else
  redis.call('SET', KEYS[1], new, 'PX', expiry)
end
return { 1, false }
