-- Ends leases before they expire: takes them out of the sets of their concurrency limits. Doing it twice is
-- harmless, and so is a lease that has expired: a release that comes late never ends the lease of another.
--
-- KEYS[1..]  inflight  sorted set: one for each concurrency limit that counted the requests
-- ARGV[1..]  lease     1 to 200 characters without space; each lease is taken out of every set
-- returns    released  leases that were there, over all sets
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
  -- Lua passes some thousand values to a function at most.
  for from = 1, #ARGV, 1000 do
    released = released + redis.call('ZREM', key, unpack(ARGV, from, math.min(from + 999, #ARGV)))
  end
end
return released
