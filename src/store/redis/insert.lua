-- insert: stores jobs, or says which existing job each of them is (C1, C8).
--
-- Keys    {p}:j:<id> rows   {p}:ready:<priority>:<queue> lists   what arrive.lua names
-- In      ARGV[3] the kinds they are of, 8 bytes each; ARGV[4] for each job: id 16 bytes, two lengths I4,
--         the row from its priority on, what it says more
-- Out     nothing when all are stored as they came; else 17 bytes a job; ERRAND_KIND when one is not here
-- Cost    for plain fresh jobs EXISTS, MSET and RPUSH over all of them; else some commands a job
-- Beware  refused by a full server before its first write, so a call is in entirely or not at all

for at = 1, #ARGV[3], 8 do
  if not kind(sub(ARGV[3], at, at + 7)) then return redis.error_reply('ERRAND_KIND') end
end

open_head()
local ids, bodies, specs, keys, seen = {}, {}, {}, {}, {}
local blob, at, plain = ARGV[4], 1, now >= clock
while at <= #blob do
  local id, size, more = unstruct('>c16I4I4', blob, at)
  local i = #ids + 1
  at = at + 24
  ids[i], keys[i] = id, J .. id
  bodies[i] = sub(blob, at, at + size - 1)
  if more > 0 then
    plain = false
    specs[i] = sub(blob, at + size, at + size + more - 1)
  end
  if seen[id] then plain = false end
  seen[id] = true
  at = at + size + more
end

for i = 1, plain and #ids or 0, BATCH do
  local there = redis.call('EXISTS', unpack(keys, i, min(i + BATCH - 1, #ids)))
  plain = plain and there == 0
end

local answers = {}
if plain then
  local before, after = pack('>BBI4', READY, 0, 1), NOW .. NOW
  local pairs_of, groups = {}, {}
  for i, id in ipairs(ids) do
    local body, own = bodies[i], take_turn(id)
    pairs_of[2 * i - 1], pairs_of[2 * i] = keys[i], before .. own .. after .. body
    local like = sub(body, 1, 9)
    local group = groups[like]
    if not group then
      group = {}
      groups[like] = group
    end
    group[#group + 1] = own .. id
  end
  for like, group in pairs(groups) do
    local queue = kind(sub(like, 2)).queue
    local key = P .. 'ready:' .. byte(like) .. ':' .. queue
    if lists[key] then
      for _, place in ipairs(group) do lists[key][#lists[key] + 1] = place end
      table.sort(lists[key], function(a, b) return from_six(a) < from_six(b) end)
    else
      lists[key] = group
    end
    tally(queue, 'accepted', #group)
    tally(queue, READY, #group)
  end
  changed = pairs_of
  rung.ready = #ids > 0 or nil
else
  fetch(ids)
  for i, id in ipairs(ids) do answers[i] = arrive(id, bodies[i], specs[i] or '') end
end

seat()
finish()
return table.concat(answers)
