-- row: one job as one packed string: a head, the life of its latest run, what it carries (C11).
--
-- Keys    {p}:j:<id> the row   {p}:beside:<id> hash of what is too large for it, by section
-- In      a row is: state B, marks B, rev I4, turn I6, runAt I6, createdAt I6;
--         where it ever left the line, its life: worker 16 bytes, fence, receipt, startedAt, endedAt I6 each,
--         and once it has ended, in the place of its receipt, until when it is kept;
--         then priority B, kind 8 bytes, tenant, and sections: a letter, a length I4, bytes
-- Out     `read` gives a table, `write` stores one; the plainest moves only splice strings
-- Cost    rows are fetched by one MGET and stored by one MSET a call
-- Beware  src/store/redis/rows.ts reads the same bytes; a length of ABSENT means the bytes lie beside

local SCHEDULED, READY, RUNNING, WAITING, COMPLETED, FAILED, CANCELLED = 0, 1, 2, 3, 4, 5, 6
-- It has a life; it lies in the line, not in the list; its cancel was asked; it holds a unique value;
-- sections say how an earlier run ended; bytes lie beside; keys of its own are to be erased with it; it is an item
-- of a batch.
local LIFE, LINED, ASKED, HOLDS, MARRED, BESIDE, TRAILS, PLACED = 1, 2, 4, 8, 16, 32, 64, 128
local HEAD, WITH_LIFE = 25, 65
local NOBODY = string.rep('\0', 16)
local LARGE = 1024
local ABSENT = '\255\255\255\255'
-- input, place in a batch, limits, whether a limited one has steps or mail, counters, expiry, deadline, unique value and until when,
-- fingerprint, tags, subject, parent and as what, waiting for, until when, reason, error, result, with errors, progress
local SECTIONS = { 'i', 'b', 'l', 'm', 'n', 'x', 'd', 'u', 'k', 'p', 't', 's', 'c', 'w', 'z', 'r', 'e', 'R', 'W', 'P' }
local J = P .. 'j:'
local BATCH = 1000

local rows, changed = {}, {}

-- Answers the keys of these rows, in their order.
local function fetch(ids)
  local keys, count = {}, #ids
  for i = 1, count do keys[i] = J .. ids[i] end
  for from = 1, count, BATCH do
    local upto = min(from + BATCH - 1, count)
    local found = redis.call('MGET', unpack(keys, from, upto))
    for i = from, upto do
      local id = ids[i]
      if rows[id] == nil then rows[id] = found[i - from + 1] end
    end
  end
  return keys
end

local function get(id)
  local raw = rows[id]
  if raw == nil then
    raw = redis.call('GET', J .. id)
    rows[id] = raw
  end
  return raw
end

local function put(id, raw)
  rows[id] = raw
  changed[#changed + 1] = J .. id
  changed[#changed + 1] = raw
end

local function marked(row, mark) return bit.band(row.marks, mark) > 0 end
local function mark(row, which, on)
  row.marks = on and bit.bor(row.marks, which) or bit.band(row.marks, 255 - which)
end

local function sections(bytes, at)
  local found, size = {}, #bytes
  while at <= size do
    local length = sub(bytes, at + 1, at + 4)
    local code = sub(bytes, at, at)
    at = at + 5
    if length == ABSENT then
      found[code] = true
    else
      local upto = at + unstruct('>I4', length)
      found[code] = sub(bytes, at, upto - 1)
      at = upto
    end
  end
  return found
end

local function read(raw)
  local row, at = {}, HEAD
  row.state, row.marks, row.rev, row.turn, row.run_at, row.created_at =
    unstruct('>BBI4c6I6c6', raw)
  if marked(row, LIFE) then
    row.worker, row.fence, row.receipt, row.started_at, row.ended_at =
      unstruct('>c16I6I6c6c6', raw, HEAD)
    at = WITH_LIFE
  else
    row.worker, row.fence, row.receipt, row.started_at, row.ended_at = NOBODY, 0, 0, NEVER, NEVER
  end
  row.priority, row.kind, row.tenant, at = unstruct('>Bc8Hc0', raw, at)
  row.has = sections(raw, at)
  return row
end

local function set(id, row, code, value)
  if row.has[code] == true then redis.call('HDEL', P .. 'beside:' .. id, code) end
  row.has[code] = value
end

local function write(id, row)
  local parts, beside = {}, false
  for _, code in ipairs(SECTIONS) do
    local value = row.has[code]
    if value and value ~= true and #value > LARGE then
      redis.call('HSET', P .. 'beside:' .. id, code, value)
      value = true
    end
    if value == true then
      beside = true
      parts[#parts + 1] = code .. ABSENT
    elseif value then
      parts[#parts + 1] = pack('>c1I4', code, #value) .. value
    end
  end
  local has = row.has
  local alive = row.worker ~= NOBODY or row.ended_at ~= NEVER or row.fence > 0
  mark(row, LIFE, alive)
  mark(row, BESIDE, beside)
  mark(row, MARRED, has.e or has.r or has.R or has.W)
  local life = ''
  if alive then
    life = row.worker .. six(row.fence) .. six(row.receipt) .. row.started_at .. row.ended_at
  end
  put(id, pack('>BBI4c6I6c6', row.state, row.marks, row.rev, row.turn, row.run_at, row.created_at)
    .. life .. pack('>Bc8H', row.priority, row.kind, #row.tenant) .. row.tenant .. table.concat(parts))
end

-- A row with everything in it, for whoever reads it outside.
local function whole(id, raw)
  if bit.band(byte(raw, 2), BESIDE) == 0 then return raw end
  local has = read(raw).has
  local at = bit.band(byte(raw, 2), LIFE) > 0 and WITH_LIFE or HEAD
  local parts = { sub(raw, 1, at + 10 + unstruct('>H', raw, at + 9)) }
  for _, code in ipairs(SECTIONS) do
    local value = has[code]
    if value == true then value = redis.call('HGET', P .. 'beside:' .. id, code) or '' end
    if value then parts[#parts + 1] = pack('>c1I4', code, #value) .. value end
  end
  return table.concat(parts)
end

local before_finish = {}
local function finish()
  for _, act in ipairs(before_finish) do act() end
  for from = 1, #changed, 2 * BATCH do
    redis.call('MSET', unpack(changed, from, min(from + 2 * BATCH - 1, #changed)))
  end
  changed = {}
  finish_call()
end
