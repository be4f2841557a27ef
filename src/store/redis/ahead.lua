-- ahead: counts what leaves before a job that is ready (C7).
--
-- Keys    {p}:ready:<priority>:<queue> lists   {p}:line:<queue> zset
-- In      ARGV[3] its id, [4] how far to count
-- Out     how many; 0 when it is not ready
-- Cost    one look at each list up to its own, an MGET of as many rows as are counted
-- Beware  reads only; lists hold places of jobs that are gone from them, which are passed over

local id, most = ARGV[3], tonumber(ARGV[4])
local raw = get(id)
if not raw or byte(raw, 1) ~= READY then return 0 end
local own = read(raw)
local queue, count = kind(own.kind).queue, 0
local line, score = P .. 'line:' .. queue, own.priority * AGES + own.run_at

local function is_before(other)
  local run_at, turn = from_six(other, 13), from_six(other, 7)
  return run_at < own.run_at or (run_at == own.run_at and turn < from_six(own.turn))
end

count = redis.call('ZCOUNT', line, '-inf', '(' .. score)
for _, place in ipairs(redis.call('ZRANGE', line, score, score, 'BYSCORE', 'LIMIT', 0, most)) do
  if from_six(place) < from_six(own.turn) then count = count + 1 end
end
for priority = 0, own.priority do
  if count >= most then return most end
  local ids, turns = {}, {}
  for i, place in ipairs(redis.call('LRANGE', P .. 'ready:' .. priority .. ':' .. queue, 0, most)) do
    turns[i], ids[i] = unstruct('>c6c16', place)
  end
  fetch(ids)
  for i, other in ipairs(ids) do
    local row = rows[other]
    local stands = row and byte(row, 1) == READY and bit.band(byte(row, 2), LINED) == 0
      and sub(row, 7, 12) == turns[i]
    if stands and (priority < own.priority or is_before(row)) then count = count + 1 end
  end
end
return min(count, most)
