-- exchange: settles M jobs and claims N, once per number (C2-C5, C7).
--
-- Keys    {p}:entries:pause hash by queue   what settle.lua, hand.lua and claim.lua name
-- In      ARGV[3] worker 16 bytes, [4] n, [5] limit, [6] settlements, [7] kinds of their hooks,
--         then queues; none means every queue
-- Out     { refused } or { answers, now, next due moment or '', receipt, rows }
-- Cost    O(M + N) and about ten commands; per job some string work and no command of its own
-- Beware  clients resend: n and fence decide everything, arriving decides nothing

local lacking = lacks_kind(ARGV[7])
if lacking then return lacking end
local worker, n, limit = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local standing, second = take_number(worker, n)
if standing == 'gone' or standing == 'closed' then return { standing } end

local answers = settle(worker, ARGV[6])
finish_batches()
seat()
close_receipts(worker, second)
finish_ended()
local next_due = promote()
-- Places are handed on before jobs are.
admit_held()

local function unpaused(queues)
  local names = redis.call('HKEYS', P .. 'entries:pause')
  if #names == 0 then return queues end
  local paused, open = {}, {}
  for _, queue in ipairs(names) do paused[queue] = true end
  for _, queue in ipairs(queues) do
    if not paused[queue] then open[#open + 1] = queue end
  end
  return open
end

local function every_queue()
  local ready = {}
  for _, queue in ipairs(unpaused(redis.call('SMEMBERS', P .. 'queues'))) do
    local counts = tallies[queue] or {}
    local count = redis.call('HGET', P .. 'tally:' .. queue, READY)
    if (tonumber(count) or 0) + (counts[READY] or 0) > 0 then ready[#ready + 1] = queue end
  end
  table.sort(ready)
  local ordered, first = {}, #ready > 0 and n % #ready or 0
  for i = 1, #ready do ordered[i] = ready[(first + i - 1) % #ready + 1] end
  return ordered
end

local receipt
if standing == 'again' then
  receipt, parts = hand_again(worker, n)
else
  local queues = {}
  for i = 8, #ARGV do queues[i - 7] = ARGV[i] end
  if limit > 0 then queues = #queues > 0 and unpaused(queues) or every_queue() end
  claim_queues(worker, n, limit, queues)
  receipt = hand_out(worker, n, places)
  if stale >= STALE_MAX and #places < limit then next_due = now end
end

finish()
return { answers, NOW, next_due and six(next_due) or '', receipt, parts }
