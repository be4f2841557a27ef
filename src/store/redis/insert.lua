-- insert: stores jobs, or says which existing job each of them is (C1, C8).
--
-- Keys    {p}:j:<id> rows   {p}:ready:<priority>:<queue> lists   what arrive.lua names
-- In      ARGV[3] the kinds they are of, 8 bytes each; ARGV[4] for each job: id 16 bytes, two lengths I4,
--         the row from its priority on, what it says more; ARGV[5] the priority of all where they are
--         of one kind, named once and say nothing more, else nothing;
--         ARGV[6] the batch they are items of, if any
-- Out     nothing when all are stored as they came; else 17 bytes a job, and behind them the keys that are full; g(one) or c(losed) of a batch; ERRAND_KIND when one is not here
-- Cost    for plain fresh jobs MSETNX and RPUSH over all of them; else some commands a job
-- Beware  refused by a full server before its first write, so a call is in entirely or not at all

local lacking = lacks_kind(ARGV[3])
if lacking then return lacking end
open_head()
local blob = ARGV[4]
-- Items of one batch, which takes them as long as it is open.
local of_batch = ARGV[6]
if of_batch then
  local known = redis.call('HMGET', P .. 'batch:' .. of_batch, 'job', 'closed')
  if not known[1] then return 'g' end
  if known[2] then return 'c' end
  -- Be they here already.
  tell_batch(of_batch, 'items', 0)
end
local size = #blob

-- All at once, or nothing where one of them is here already.
local function store_plain(priority)
  local before, after = pack('>BBI4', READY, of_batch and PLACED or 0, 1), NOW .. NOW
  local ids, places, set, at, count = {}, {}, { 'MSETNX' }, 1, 0
  while at <= size do
    local id, length = unstruct('>c16I4', blob, at)
    local own = pack('>I6', turn + count)
    count = count + 1
    ids[count], places[count] = id, own .. id
    set[2 * count] = J .. id
    set[2 * count + 1] = before .. own .. after .. sub(blob, at + 24, at + 23 + length)
    at = at + 24 + length
  end
  if count == 0 or count > BATCH or redis.call(unpack(set)) == 0 then return false end
  local queue = kind(ARGV[3]).queue
  arrivals, turn = ids, turn + count
  lists[P .. 'ready:' .. priority .. ':' .. queue] = places
  tally(queue, 'accepted', count)
  tally(queue, READY, count)
  if of_batch then tell_batch(of_batch, 'items', count) end
  rung.ready = true
  return true
end

local answers = {}
if ARGV[5] == '' or now < clock or not store_plain(ARGV[5]) then
  local ids, bodies, specs, at = {}, {}, {}, 1
  while at <= size do
    local id, length, more = unstruct('>c16I4I4', blob, at)
    local i, from = #ids + 1, at + 24 + length
    ids[i], bodies[i], specs[i] = id, sub(blob, at + 24, from - 1), sub(blob, from, from + more - 1)
    at = from + more
  end
  fetch(ids)
  for i, id in ipairs(ids) do answers[i] = arrive(id, bodies[i], specs[i], true) end
end

if of_batch then finish_batches() end
seat()
finish()
-- Behind them the keys of those that were refused, in their order.
for _, full in ipairs(full_keys) do answers[#answers + 1] = pack('>Hc0', #full, full) end
return table.concat(answers)
