-- Compare-and-swap: creates, replaces or deletes a string if its current value is the expected one.
--
-- KEYS[1]    value      string: the value to change
-- ARGV[1]    operation  create (only if there is no value) | replace | delete
-- ARGV[2]    expected   the current value, byte for byte; create: empty
-- ARGV[3]    new        the new value; delete: empty
-- ARGV[4]    expiry     keep (the current one, or none) | never | milliseconds, 1 or more; delete: empty
-- returns    swapped    0 | 1
--            found      the current value, or nil if there is none; nil if swapped
-- example    redis-cli --eval lua/cas.lua 'sg:1:{flag:beta}' , create '' on 60000
--
-- An empty string is a value; it is not the same as no value.

local operation, expected, new, expiry = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local creates, deletes = operation == 'create', operation == 'delete'

local function mistake(position, what, wanted)
  return string.format('ARGV[%d] (%s): expected %s, found %s', position, what, wanted, ARGV[position] or 'nothing')
end

local ttl = tonumber(string.match(expiry or '', '^%d+$')) or 0
local options = expiry == 'keep' and { 'KEEPTTL' } or expiry == 'never' and {}
  or ttl >= 1 and ttl < 2 ^ 53 and { 'PX', string.format('%.0f', ttl) }

local problem = #KEYS ~= 1 and 'expected 1 key, found ' .. #KEYS
  or not (creates or deletes or operation == 'replace') and mistake(1, 'operation', 'create, replace or delete')
  or not expected and mistake(2, 'expected', creates and 'an empty string' or 'a string')
  or creates and expected ~= '' and mistake(2, 'expected', 'an empty string')
  or not new and mistake(3, 'new', deletes and 'an empty string' or 'a string')
  or deletes and new ~= '' and mistake(3, 'new', 'an empty string')
  or deletes and expiry ~= '' and mistake(4, 'expiry', 'an empty string')
  or not deletes and not options and mistake(4, 'expiry', 'keep, never or an integer from 1')
  or #ARGV ~= 4 and 'expected 4 arguments, found ' .. #ARGV
if problem then return redis.error_reply('ERR cas.lua: ' .. problem) end

-- GET returns false if there is no value.
local found = redis.call('GET', KEYS[1])
if found ~= (not creates and expected) then return { 0, found } end

if deletes then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], new, unpack(options))
end
return { 1, false }
