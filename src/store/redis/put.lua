-- put: changes what is kept under names, each entry together with its jobs (C18).
--
-- Keys    {p}:entries:<kind> hash of name to stamp, moment and value   {p}:due:<kind> zset of names by moment
--         what arrive.lua names
-- In      ARGV[3] the kinds of the jobs; ARGV[4] for each change: kind and name, marks B (1 expects, 2 has a value),
--         stamp, expected stamp, moment I6 or 0, length I4, value, how many jobs H, each as insert.lua takes it;
--         ARGV[5] how many entries are taken of a kind
-- Out     for each change p(ut), r(epeated), c(hanged) or f(ull); after the first two 17 bytes a job
-- Cost    some commands a change and a job
-- Beware  jobs of a repeat are in, and may have gone since: they are not looked for

local lacking = lacks_kind(ARGV[3])
if lacking then return lacking end
local blob, entries_max, at, answers = ARGV[4], tonumber(ARGV[5]), 1, {}

local function change(kept, name, stamp, expect, moment, value)
  local entries, due = P .. 'entries:' .. kept, P .. 'due:' .. kept
  local there = redis.call('HGET', entries, name)
  local stands = there and sub(there, 1, 16)
  if stands == stamp or not (there or value) then return 'r' end
  if stands ~= expect then return 'c' end
  local before = there and from_six(there, 17) or 0
  if not value then
    redis.call('HDEL', entries, name)
    redis.call('ZREM', due, name)
  else
    if not there and redis.call('HLEN', entries) >= entries_max then return 'f' end
    redis.call('HSET', entries, name, stamp .. six(moment) .. value)
    if moment > 0 then redis.call('ZADD', due, moment, name) else redis.call('ZREM', due, name) end
  end
  if not there or not value or (moment > 0 and (before == 0 or moment < before)) then rung.entry = true end
  local is_resumed = kept == 'pause' and not value
  if is_resumed then rung.ready = true end
  return 'p'
end

while at <= #blob do
  local kept, name, marks, stamp, expect, moment, value, count
  kept, name, marks, stamp, expect, moment, value, count, at = unstruct('>Hc0Hc0Bc16c16I6I4c0H', blob, at)
  local answer = change(kept, name, stamp, bit.band(marks, 1) > 0 and expect, moment, bit.band(marks, 2) > 0 and value)
  answers[#answers + 1] = answer
  for _ = 1, count do
    local id, length, more = unstruct('>c16I4I4', blob, at)
    local from = at + 24 + length
    if answer == 'p' then
      answers[#answers + 1] = arrive(id, sub(blob, at + 24, from - 1), sub(blob, from, from + more - 1))
    elseif answer == 'r' then
      answers[#answers + 1] = '\0' .. id
    end
    at = from + more
  end
end

seat()
finish()
return table.concat(answers)
