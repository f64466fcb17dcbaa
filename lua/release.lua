-- Ends leases before they expire: removes them from the sets of their concurrency limits. Releasing a lease twice, or
-- after it has expired, is harmless: it never ends another lease.
--
-- KEYS[1..]  inflight  sorted set: one for each concurrency limit that counted the requests
-- ARGV[1..]  lease     1 to 200 characters without space; each lease is removed from every set
-- returns    released  number of leases removed, over all sets
-- example    redis-cli --eval lua/release.lua 'sg:1:{ip:203.0.113.7}:inflight:uploads' , request-1

if #KEYS < 1 then
  return redis.error_reply('ERR release.lua: expected 1 key or more, found 0')
end
for i = 1, math.max(#ARGV, 1) do
  local lease = ARGV[i]
  if not lease or #lease > 200 or not string.find(lease, '^[!-~]+$') then
    return redis.error_reply(string.format(
      'ERR release.lua: ARGV[%d] (lease): expected 1 to 200 characters without space, found %s', i, lease or 'nothing'))
  end
end

local released = 0
for _, key in ipairs(KEYS) do
  -- Lua passes at most a few thousand values to a function.
  for from = 1, #ARGV, 1000 do
    released = released + redis.call('ZREM', key, unpack(ARGV, from, math.min(from + 999, #ARGV)))
  end
end
return released
