-- claim: takes ready jobs from the lines and lists of a queue, the older and the more urgent first (C4, C7).
--
-- Keys    {p}:ready:<priority>:<queue> lists   {p}:line:<queue> zsets
-- In      the worker, the number of its trip, how many it takes, queues
-- Out     their entries in its receipt, and their rows
-- Cost    some commands a queue; a share of LMPOP, MGET and MSET a job, some string work and no command of its own
-- Beware  a list keeps entries of jobs that were cancelled: so many are looked at in vain, then the call ends

local places, parts = {}, {}
local stale, STALE_MAX = 0, 1000

local claim_queues
do
  -- A plain job that waits for the first time: nearly all do, so its head need not be unpacked; one of a limited job.
  local WAITS, RUNS_FIRST = pack('>BBI4', READY, 0, 1), pack('>BBI4', RUNNING, LIFE, 2)
  -- And an item of a batch.
  local WAITS_PLACED, RUNS_PLACED = pack('>BBI4', READY, PLACED, 1), pack('>BBI4', RUNNING, LIFE + PLACED, 2)
  local LIMITED_WAITS, LIMITED_RUNS = pack('>BBI4', READY, LINED + TRAILS, 1), pack('>BBI4', RUNNING, LIFE + TRAILS, 2)
  local worker, n, limit, first_life

  -- By what they say of keys, how many wait no more.
  local waited = {}
  local function claim(id, raw, place)
    local head, moments = unstruct('>c6c18', raw)
    if head == LIMITED_WAITS then
      local limits, upto = said_last[id], nil
      if limits == nil then
        limits, upto = limits_at(raw, HEAD)
        limits = limits and upto > #raw and limits
      end
      if limits then
        local fresh = LIMITED_RUNS .. moments .. first_life .. sub(raw, HEAD)
        waited[limits] = (waited[limits] or 0) + 1
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

  local function fetch_unread(ids)
    local unread = {}
    for i = 1, #ids do
      if rows[ids[i]] == nil then unread[#unread + 1] = ids[i] end
    end
    if #unread > 0 then fetch(unread) end
  end

  local function fetch_places(found)
    local ids = {}
    for i = 1, #found do ids[i] = sub(found[i], 7) end
    fetch_unread(ids)
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
        local fresh = (placed and RUNS_PLACED or RUNS_FIRST) .. turn .. moments .. first_life .. sub(raw, HEAD)
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

  -- The places of a line, from its head on, their ids and priorities.
  local RANKS = '>xB' .. string.rep('x', HEAD - 3) .. 'B'
  local function first_of(queue)
    local want = min(limit - #places, BATCH)
    local places_in, ids_in, ranks_in = short_line(queue, want)
    if places_in then
      fetch_unread(ids_in)
      return places_in, ids_in, ranks_in, true
    end
    local line = redis.call('ZRANGE', P .. 'line:' .. queue, 0, want - 1)
    local ids, ranks = fetch_places(line), {}
    for i = 1, #ids do
      local raw, marks, priority = rows[ids[i]], nil, nil
      if raw then marks, priority = unstruct(RANKS, raw) end
      if raw and bit.band(marks, LIFE) > 0 then priority = byte(raw, WITH_LIFE) end
      ranks[i] = priority or ranks[i - 1] or 0
    end
    return line, ids, ranks, false
  end

  local function claim_queue(queue)
    local before, lists = #places, {}
    for priority = 0, 9 do lists[priority] = P .. 'ready:' .. priority .. ':' .. queue end
    local line, ids, ranks, is_short = first_of(queue)
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
    if taken > 0 and is_short then shorten(queue, taken) end
    if taken > 0 and not is_short then redis.call('ZREMRANGEBYRANK', P .. 'line:' .. queue, 0, taken - 1) end
    if #places > before then
      tally(queue, READY, before - #places)
      tally(queue, RUNNING, #places - before)
    end
  end

  function claim_queues(by, number, most, queues)
    worker, n, limit = by, number, most
    first_life = worker .. NOW .. six(n) .. NOW .. NEVER
    for _, queue in ipairs(queues) do
      if #places >= limit then break end
      claim_queue(queue)
    end
    for limits, count in pairs(waited) do count_pending(limits, -count) end
  end
end
