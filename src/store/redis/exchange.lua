-- exchange: settles M jobs and claims N, once per number (C2-C5, C7).
--
-- Keys    {p}:ready:<priority>:<queue> lists   {p}:line:<queue> zsets   {p}:entries:pause hash by queue
--         what settle.lua and hand.lua name
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

local places, parts = {}, {}
-- Looked at in vain: entries of jobs that were cancelled in a list.
local stale, STALE_MAX = 0, 1000

-- A plain job that waits for the first time: nearly all do, so its head need not be unpacked; one of a limited job.
local WAITS, RUNS_FIRST = pack('>BBI4', READY, 0, 1), pack('>BBI4', RUNNING, LIFE, 2)
-- And an item of a batch.
local WAITS_PLACED, RUNS_PLACED = pack('>BBI4', READY, PLACED, 1), pack('>BBI4', RUNNING, LIFE + PLACED, 2)
local LIMITED_WAITS, LIMITED_RUNS = pack('>BBI4', READY, LINED + TRAILS, 1), pack('>BBI4', RUNNING, LIFE + TRAILS, 2)
local FIRST_LIFE = worker .. NOW .. six(n) .. NOW .. NEVER

local function claim(id, raw, place)
  if sub(raw, 1, 6) == LIMITED_WAITS then
    local limits, upto = limits_at(raw, HEAD)
    if limits and upto > #raw then
      local fresh = LIMITED_RUNS .. sub(raw, 7, 24) .. FIRST_LIFE .. sub(raw, HEAD)
      count_pending(limits, -1)
      put(id, fresh)
      parts[#parts + 1] = fresh
      places[#places + 1] = place .. NOW
      return
    end
  end
  local fresh, fence = take(worker, n, id, raw)
  describe(parts, id, fresh)
  places[#places + 1] = place .. fence
end

-- Whether an entry of a list is the place where its job stands.
local function stands(place, raw)
  if not raw then return false end
  local state, marks = byte(raw, 1, 2)
  return state == READY and bit.band(marks, LINED) == 0 and sub(raw, 7, 12) == sub(place, 1, 6)
end

-- Those that were admitted by this call are there already.
local function fetch_places(found)
  local ids, unread = {}, {}
  for i, place in ipairs(found) do
    local id = sub(place, 7)
    ids[i] = id
    if rows[id] == nil then unread[#unread + 1] = id end
  end
  if #unread > 0 then fetch(unread) end
  return ids
end

local function claim_listed(found)
  local ids, turns = {}, {}
  for i, place in ipairs(found) do turns[i], ids[i] = unstruct('>c6c16', place) end
  local keys = fetch(ids)
  for i, id in ipairs(ids) do
    local raw = rows[id]
    local head, turn, moments
    if raw then head, turn, moments = unstruct('>c6c6c12', raw) end
    local placed = head == WAITS_PLACED
    if (head == WAITS or (placed and not is_stopped(sub(place_in(raw), 1, 16)))) and turn == turns[i] then
      local fresh = (placed and RUNS_PLACED or RUNS_FIRST) .. turn .. moments .. FIRST_LIFE .. sub(raw, HEAD)
      local at = #changed
      rows[id], changed[at + 1], changed[at + 2] = fresh, keys[i], fresh
      parts[#parts + 1] = fresh
      places[#places + 1] = found[i] .. NOW
    elseif stands(found[i], raw) then
      claim(id, raw, found[i])
    else
      stale = stale + 1
    end
  end
end

-- From the lists of these priorities, the first that is not empty first.
local function claim_list(lists, first, last)
  local command = { 'LMPOP', last - first + 1, unpack(lists, first, last) }
  local at = #command
  command[at + 1], command[at + 2] = 'LEFT', 'COUNT'
  while #places < limit and stale < STALE_MAX do
    command[at + 3] = min(limit - #places, BATCH)
    local found = redis.call(unpack(command))
    if not found then return end
    claim_listed(found[2])
  end
end

-- Numbers, as strings would be compared by the server's locale.
local function is_older(one, other)
  local turn, run_at = unstruct('>I6I6', one, 7)
  local other_turn, other_run_at = unstruct('>I6I6', other, 7)
  return run_at < other_run_at or (run_at == other_run_at and turn < other_turn)
end

-- The heads of a list and of the part of the line that has its priority, by moment and turn.
local function claim_merged(key, line, line_ids, from, upto)
  local want = min(limit - #places, BATCH)
  local listed = redis.call('LRANGE', key, 0, want - 1)
  local listed_ids = fetch_places(listed)
  local i = 1
  while #places < limit do
    while i <= #listed and not stands(listed[i], rows[listed_ids[i]]) do
      i, stale = i + 1, stale + 1
    end
    -- A place without its job is for verify to tell of.
    while from <= upto and not rows[line_ids[from]] do from = from + 1 end
    local place, id = listed[i], from <= upto and line_ids[from]
    -- A list that goes on may hold older jobs than the rest of the line.
    if not place and #listed == want then break end
    if not place and not id then break end
    if place and id and is_older(rows[listed_ids[i]], rows[id]) then id = nil end
    if id then
      place, from = line[from], from + 1
    else
      id, i = listed_ids[i], i + 1
    end
    claim(id, rows[id], place)
  end
  if i > 1 then redis.call('LTRIM', key, i - 1, -1) end
  return from
end

local function claim_queue(queue)
  local before, lists = #places, {}
  for priority = 0, 9 do lists[priority] = P .. 'ready:' .. priority .. ':' .. queue end
  local key = P .. 'line:' .. queue
  local line = redis.call('ZRANGE', key, 0, min(limit - before, BATCH) - 1)
  local ids, ranks = fetch_places(line), {}
  for i, id in ipairs(ids) do
    local raw = rows[id]
    ranks[i] = raw and byte(raw, bit.band(byte(raw, 2), LIFE) > 0 and WITH_LIFE or HEAD) or ranks[i - 1] or 0
  end
  local from, priority, taken = 1, 0, 0
  while priority <= 9 and #places < limit do
    local last = (ranks[from] or 10) - 1
    if last >= priority then
      claim_list(lists, priority, last)
      priority = last + 1
    else
      local upto = from
      while ranks[upto + 1] == priority do upto = upto + 1 end
      while from <= upto and #places < limit and stale < STALE_MAX do
        from = claim_merged(lists[priority], line, ids, from, upto)
        taken = from - 1
      end
      if from > upto then
        claim_list(lists, priority, priority)
      end
      from, priority = upto + 1, priority + 1
    end
  end
  if taken > 0 then redis.call('ZREMRANGEBYRANK', key, 0, taken - 1) end
  if #places > before then
    tally(queue, READY, before - #places)
    tally(queue, RUNNING, #places - before)
  end
end

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
  for _, queue in ipairs(queues) do
    if #places >= limit then break end
    claim_queue(queue)
  end
  receipt = hand_out(worker, n, places)
  if stale >= STALE_MAX and #places < limit then next_due = now end
end

finish()
return { answers, NOW, next_due and six(next_due) or '', receipt, parts }
