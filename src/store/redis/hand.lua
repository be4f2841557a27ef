-- hand: numbers a worker's trips and hands jobs out under new fences, with a receipt (C2, C4, C5).
--
-- Keys    {p}:worker:<id> hash   {p}:receipts:<worker> hash of n to entries   {p}:open:<worker>
--         {p}:asked:<worker> set of jobs whose cancel was asked
-- In      the worker, its number, jobs on their way
-- Out     for each job: id 16 bytes, lengths I4 of its row and of its subject's, both rows
-- Cost    three commands a trip, a share of MGET and MSET for each job
-- Beware  the last two numbers are remembered even when they handed out nothing

-- turn and id, fence
local ENTRY = 28

-- 'gone', 'closed', 'again' or 'new'; and the older of the last two numbers.
local function take_number(worker, n)
  local key = P .. 'worker:' .. worker
  local known = redis.call('HMGET', key, 'newest', 'second', 'gone')
  local newest, second = tonumber(known[1]), tonumber(known[2])
  if not newest or known[3] then return 'gone' end
  if n == newest or n == second then return 'again', second end
  if n < second then return 'closed' end
  local older = min(n, newest)
  redis.call('HSET', key, 'newest', max(n, newest), 'second', older)
  if second > 0 then
    local open = redis.call('HGET', P .. 'open:' .. worker, second)
    if open and tonumber(open) <= 0 then drop_receipt(worker, second) end
  end
  return 'new', older
end

-- Under a new fence, with a life of its own; `started` is kept when a running job changes hands.
local function take(worker, n, id, raw, started)
  local marks, rev = unstruct('>BI4', raw, 2)
  local fence, tail = now, HEAD
  if bit.band(marks, LIFE) > 0 then
    fence, tail = max(from_six(raw, 41) + 1, now), WITH_LIFE
  end
  if bit.band(marks, ASKED) > 0 then redis.call('SADD', P .. 'asked:' .. worker, id) end
  local packed = six(fence)
  local fresh = pack('>BBI4', RUNNING, bit.bor(bit.band(marks, 127 - LINED), LIFE), rev + 1)
    .. sub(raw, 7, 24) .. worker .. packed .. six(n) .. (started or NOW) .. NEVER .. sub(raw, tail)
  put(id, fresh)
  return fresh, packed
end

local function describe(parts, id, raw)
  local subject = ''
  if bit.band(byte(raw, 2), TRAILS) > 0 then
    local of = read(raw).has.s
    local looked = of and get(of)
    if looked then subject = whole(of, looked) end
  end
  local row = whole(id, raw)
  parts[#parts + 1] = id .. pack('>I4I4', #row, #subject)
  parts[#parts + 1] = row
  if subject ~= '' then parts[#parts + 1] = subject end
end

local function hand_out(worker, n, places, parts)
  if #places == 0 then return '' end
  redis.call('HSET', P .. 'receipts:' .. worker, n, table.concat(places))
  redis.call('HSET', P .. 'open:' .. worker, n, #places)
  rung.change = true
  return table.concat(parts)
end

-- The entries of a receipt whose jobs still run under its fences: id and row.
local function still_running(entries)
  local ids, found = {}, {}
  for at = 1, #entries, ENTRY do ids[#ids + 1] = sub(entries, at + 6, at + 21) end
  fetch(ids)
  for i, id in ipairs(ids) do
    local raw, at = rows[id], (i - 1) * ENTRY
    if raw and byte(raw, 1) == RUNNING and sub(raw, 41, 46) == sub(entries, at + 23, at + 28) then
      found[#found + 1] = { id, raw }
    end
  end
  return found
end

local function hand_again(worker, n)
  local parts = {}
  local entries = redis.call('HGET', P .. 'receipts:' .. worker, n)
  for _, one in ipairs(still_running(entries or '')) do describe(parts, one[1], one[2]) end
  return table.concat(parts)
end
