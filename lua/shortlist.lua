-- Merges the report of an isolate into the shortlist of tenants that the overview is about: those that used most today,
-- and those near a limit.
--
-- KEYS[1]    shortlist  string: the time of the newest report, then one line for each tenant
-- ARGV[1]    now_ms     milliseconds since the epoch, by the clock of the isolate
-- ARGV[2]    day        days since the epoch: the day on which the units and the refusals count
-- ARGV[3]    places     how many tenants are kept for their units, and how many for their share
-- ARGV[..]   tenants    six for each tenant:
--              tenant    its id
--              units     used on this day
--              refused   requests refused on this day, as far as no other report has them
--              share     percent used of its fullest limit
--              until_ms  when the limits that are near their end are full again, if nothing more comes; 0 if none is near
--              readings  what was seen of limits that the overview cannot read; - if there is nothing
-- returns    threshold  the units above which a tenant gets a place; 0 if places are free
-- example    redis-cli --eval lua/shortlist.lua sg:1:overview , 1795435200000 20780 64 acme 120 3 85 1796083200000 -
--
-- A line has the same six words, and the day behind the id. The shortlist only says which tenants to look at, so the last
-- report wins, and a tenant is near a limit until until_ms. It has at most twice as many lines as places: a tenant that is
-- dropped has fewer units than each of those that stay. Lines of another form are dropped.

local TWO_53, DAY_MS = 9007199254740992, 86400000
local find, format = string.find, string.format

local function expected(position, what, wanted)
  return redis.error_reply(format('ERR shortlist.lua: ARGV[%d] (%s): expected %s, found %s',
    position, what, wanted, ARGV[position] or 'nothing'))
end

local function integer(position)
  local text = ARGV[position]
  local number = text and find(text, '^%d+$') and tonumber(text)
  return number and number < TWO_53 and number
end

if #KEYS ~= 1 then
  return redis.error_reply('ERR shortlist.lua: expected 1 key, found ' .. #KEYS)
end
local now_ms, day, places = integer(1), integer(2), integer(3)
if not now_ms then return expected(1, 'now_ms', 'an integer from 0') end
if not day then return expected(2, 'day', 'an integer from 0') end
if not places or places < 1 then return expected(3, 'places', 'an integer from 1') end

local list, known = {}, {}
local function add(id, of_day, units, refused, share, until_ms, readings)
  local tenant = {
    id = id, day = of_day, units = units, refused = refused, share = share, until_ms = until_ms, readings = readings,
  }
  list[#list + 1], known[id] = tenant, tenant
  return tenant
end

for line in string.gmatch(redis.call('GET', KEYS[1]) or '', '[^\n]+') do
  local id, of_day, units, refused, share, until_ms, readings =
    string.match(line, '^(%S+) (%d+) (%d+) (%d+) (%d+) (%d+) (%S+)$')
  if id then add(id, of_day + 0, units + 0, refused + 0, share + 0, until_ms + 0, readings) end
end

for at = 4, #ARGV, 6 do
  local id, readings = ARGV[at], ARGV[at + 5]
  local units, refused, share, until_ms = integer(at + 1), integer(at + 2), integer(at + 3), integer(at + 4)
  if not find(id, '^%S+$') then return expected(at, 'tenant', 'a text without space') end
  if not units then return expected(at + 1, 'units', 'an integer from 0') end
  if not refused then return expected(at + 2, 'refused', 'an integer from 0') end
  if not share then return expected(at + 3, 'share', 'an integer from 0') end
  if not until_ms then return expected(at + 4, 'until_ms', 'an integer from 0') end
  if not find(readings or '', '^%S+$') then return expected(at + 5, 'readings', 'a text without space') end
  local tenant = known[id] or add(id, day, 0, 0, 0, 0, '-')
  if tenant.day < day then tenant.day, tenant.units, tenant.refused = day, 0, 0 end
  if tenant.day == day then
    tenant.units, tenant.refused = units, math.min(tenant.refused + refused, TWO_53 - 1)
  end
  if until_ms > now_ms then
    tenant.share, tenant.until_ms = share, math.max(tenant.until_ms, until_ms)
    if readings ~= '-' then tenant.readings = readings end
  end
end

-- Keeps the first tenants by a number that is above `least`, and returns the last of them if all places are taken.
local function keep(number, least)
  local chosen = {}
  for _, tenant in ipairs(list) do
    if tenant[number] > 0 and least(tenant) then chosen[#chosen + 1] = tenant end
  end
  table.sort(chosen, function(a, b)
    if a[number] ~= b[number] then return a[number] > b[number] end
    return a.id < b.id
  end)
  for i = 1, math.min(places, #chosen) do chosen[i].kept = true end
  return chosen[places]
end
local last = keep('units', function(tenant) return tenant.day >= day end)
keep('share', function(tenant) return tenant.until_ms > now_ms end)

local lines, life = { format('%.0f', now_ms) }, 2 * DAY_MS
for _, tenant in ipairs(list) do
  if tenant.kept then
    lines[#lines + 1] = format('%s %.0f %.0f %.0f %.0f %.0f %s', tenant.id, tenant.day, tenant.units, tenant.refused,
      tenant.share, tenant.until_ms, tenant.readings)
    life = math.max(life, tenant.until_ms - now_ms)
  end
end
redis.call('SET', KEYS[1], table.concat(lines, '\n'), 'PX', format('%.0f', math.min(life, 366 * DAY_MS)))
return last and last.units or 0
