-- unpark: makes parked jobs of these names ready again, a bounded number a call (C9).
--
-- Keys    {p}:parked:<job> sets   {p}:waiting zset
-- In      ARGV[3...] names of jobs
-- Out     how many; the caller asks again for as long as there are as many as a call may take
-- Cost    some commands a job that waits; one a name when none does
-- Beware  jobs keep the moment they became ready at: they do not lose their place by having waited

local UNPARK_MAX = 1000
local count = 0
for i = 3, #ARGV do
  local ids = redis.call('SRANDMEMBER', P .. 'parked:' .. ARGV[i], UNPARK_MAX - count)
  fetch(ids)
  for _, id in ipairs(ids) do
    local raw = get(id)
    if raw then
      local row = read(raw)
      leave(id, row)
      row.rev = row.rev + 1
      line_up(id, row)
      write(id, row)
      local queue = kind(row.kind).queue
      tally(queue, WAITING, -1)
      tally(queue, READY, 1)
      count = count + 1
    else
      -- A place without its job is for verify to tell of; nobody else is held up by it.
      redis.call('SREM', P .. 'parked:' .. ARGV[i], id)
    end
  end
  if count >= UNPARK_MAX then break end
end
if count > 0 then rung.ready, rung.change = true, true end
finish()
return count
