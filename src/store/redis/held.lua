-- held: the lines of keys, where those wait that have no place yet (C17).
--
-- Keys    {p}:held:<key> zset by priority and moment   {p}:heldkeys set of keys with a line
--         {p}:line:<queue> zsets of those that may be claimed
-- In      jobs that came ready in this call, and places that came back
-- Out     nothing before `admit_held`, which ends every call
-- Cost    some commands a key and call; a share of MGET, ZADD and ZREM for each job that is admitted, whose row stays as it is
-- Beware  a job stands in one line only, and where it stands says which key holds it.
--         When another of its keys turns out to be full it moves to that one's line

-- Scores hold both, exactly: moments stay below this until the year 2248.
local AGES = 8796093022208

-- As texts: Redis writes a number of ours with seventeen digits, each time.
local score_of
do
  local scores = {}
  function score_of(priority, moment)
    local number = priority * AGES + moment
    local score = scores[number]
    if not score then
      score = string.format('%d', number)
      scores[number] = score
    end
    return score
  end
end

local come, give_places, leave_held, stand_in_line, admit_held
do
  -- Keys whose lines are looked at before the call ends, and how many places came back to each.
  local freed, freed_keys = {}, {}
  local function free_key(key, places)
    if not freed[key] then
      freed[key] = 0
      freed_keys[#freed_keys + 1] = key
    end
    freed[key] = freed[key] + places
  end

  -- As many as jobs of these limits gave them up.
  function give_places(packed, count)
    for _, limit in ipairs(limits_in(packed).runs) do
      count_key('places', limit.key, -count)
      free_key(limit.key, count)
    end
  end

  local function take_places(limits, count)
    local runs = limits.runs
    for i = 1, #runs do count_key('places', runs[i].key, count) end
  end

  -- Who may stay in the line of its `own` key does: it keeps its turn there.
  local function key_without_places(limits, count, own)
    local runs, full = limits.runs, nil
    for i = 1, #runs do
      local limit = runs[i]
      if counted('places', limit.key) + count > limit.running then
        if limit.key == own then return own end
        full = full or limit.key
      end
    end
    return full
  end

  -- Those that came ready in this call, by key; and by id the place there: so far they stand nowhere.
  local comers, coming = {}, {}
  function come(key, queue, score, place, packed)
    local list = comers[key]
    if not list then
      list = { ids = {}, queues = {}, scores = {}, places = {}, packed = {} }
      comers[key] = list
      free_key(key, 0)
    end
    local id, i = sub(place, 7), #list.ids + 1
    list.ids[i], list.queues[i], list.scores[i], list.places[i], list.packed[i] = id, queue, score, place, packed
    coming[id] = i
  end

  -- Whether it waited for a place.
  function leave_held(id, row)
    if coming[id] then
      coming[id] = nil
      return true
    end
    local place = row.turn .. id
    local key = holder_of(row.has.l, place)
    if not key then return false end
    redis.call('ZREM', P .. 'held:' .. key, place)
    if redis.call('EXISTS', P .. 'held:' .. key) == 0 then redis.call('SREM', P .. 'heldkeys', key) end
    -- Who stands behind it may be content with less.
    free_key(key, 0)
    return true
  end

  -- One command a queue and call, not one a job.
  local lines = {}
  function stand_in_line(queue, score, place)
    local line = lines[queue]
    if not line then
      line = {}
      lines[queue] = line
    end
    local at = #line
    line[at + 1], line[at + 2] = score, place
  end

  -- By priority and moment, and in which queue.
  local function standing(raw)
    local marks, moment = unstruct('>xBxxxxxxxxxxI6', raw)
    local priority, of = unstruct('>Bc8', raw, bit.band(marks, LIFE) > 0 and WITH_LIFE or HEAD)
    return score_of(priority, moment), kind(of).queue
  end

  local function admit(raw, place)
    local score, queue = standing(raw)
    stand_in_line(queue, score, place)
  end

  -- Where all of them find a place, and nobody stands before them, they need not stand in the line.
  local function seat_comers(key)
    local list = comers[key]
    if not list then return end
    local left, places, packed, alike = {}, {}, nil, true
    for i, id in ipairs(list.ids) do
      if coming[id] == i then
        left[#left + 1] = i
        places[#places + 1], places[#places + 2] = list.scores[i], list.places[i]
        packed = packed or list.packed[i]
        alike = alike and list.packed[i] == packed
      end
    end
    comers[key] = nil
    if #left == 0 then return end
    local line = P .. 'held:' .. key
    local is_new = redis.call('EXISTS', line) == 0
    local limits = limits_in(packed)
    if is_new and alike and not key_without_places(limits, #left) then
      take_places(limits, #left)
      for _, i in ipairs(left) do stand_in_line(list.queues[i], list.scores[i], list.places[i]) end
      return
    end
    each_part(places, function(...) redis.call('ZADD', line, ...) end)
    if is_new then redis.call('SADD', P .. 'heldkeys', key) end
  end

  -- The first of a line, as they were read.
  local heads = {}
  local function read_line(key, count)
    local found = redis.call('ZRANGE', P .. 'held:' .. key, 0, count - 1)
    local ids = {}
    for i, place in ipairs(found) do ids[i] = sub(place, 7) end
    heads[key] = { found = found, ids = ids, is_all = #found < count }
  end

  local function move_to(key, raw, place)
    redis.call('ZADD', P .. 'held:' .. key, (standing(raw)), place)
    redis.call('SADD', P .. 'heldkeys', key)
    heads[key] = nil
  end

  -- Whether there may be more to admit.
  local function admit_some(key, head)
    local ids, gone, is_full = head.ids, 0, false
    for i, place in ipairs(head.found) do
      local raw = get(ids[i])
      -- A place without its job holds nobody up.
      if raw then
        local limits = limits_in(limits_of(raw))
        local full = key_without_places(limits, 1, key)
        is_full = full == key
        if is_full then break end
        if full then
          move_to(full, raw, place)
        else
          take_places(limits, 1)
          admit(raw, place)
        end
      end
      gone = i
    end
    if gone > 0 then redis.call('ZREMRANGEBYRANK', P .. 'held:' .. key, 0, gone - 1) end
    if gone > 0 and head.is_all and not is_full then redis.call('SREM', P .. 'heldkeys', key) end
    return not head.is_all and not is_full
  end

  -- Hands places on, of the keys whose places or lines have changed. Of each line as many are read as places
  -- came back, and the next.
  function admit_held()
    local ids = {}
    load_counts('places', freed_keys)
    for _, key in ipairs(freed_keys) do
      seat_comers(key)
      read_line(key, min(freed[key] + 1, BATCH))
      for _, id in ipairs(heads[key].ids) do ids[#ids + 1] = id end
    end
    fetch(ids)
    for _, key in ipairs(freed_keys) do
      local count, head = freed[key] + 1, nil
      repeat
        if not heads[key] then read_line(key, min(count, BATCH)) end
        head, heads[key], count = heads[key], nil, 2 * count
      until not admit_some(key, head)
    end
    for queue, line in pairs(lines) do
      each_part(line, function(...) redis.call('ZADD', P .. 'line:' .. queue, ...) end)
      rung.ready = true
    end
    freed, freed_keys, coming, lines = {}, {}, {}, {}
  end
end
-- Before counts are written.
table.insert(before_finish, 1, admit_held)
