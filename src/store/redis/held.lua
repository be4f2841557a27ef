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
    for _, limit in ipairs(limits.runs) do count_key('places', limit.key, count) end
  end

  -- Who may stay in the line of its `own` key does: it keeps its turn there.
  local function key_without_places(limits, count, own)
    local full
    for _, limit in ipairs(limits.runs) do
      if counted('places', limit.key) + count > limit.running then
        if limit.key == own then return own end
        full = full or limit.key
      end
    end
    return full
  end

  -- Those that came ready in this call, by key and by id: so far they stand nowhere.
  local comers, coming = {}, {}
  function come(key, score, place, packed)
    local comer = { score = score, place = place, packed = packed }
    local list = comers[key]
    if not list then
      list = {}
      comers[key] = list
    end
    list[#list + 1] = comer
    coming[sub(place, 7)] = comer
    free_key(key, 0)
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

  local function admit(raw, score, place)
    local at = bit.band(byte(raw, 2), LIFE) > 0 and WITH_LIFE or HEAD
    stand_in_line(kind(sub(raw, at + 1, at + 8)).queue, score, place)
  end

  -- Where all of them find a place, and nobody stands before them, they need not stand in the line.
  local function seat_comers(key)
    if not comers[key] then return end
    local list, places, alike = {}, {}, true
    for _, comer in ipairs(comers[key]) do
      if coming[sub(comer.place, 7)] == comer then
        list[#list + 1] = comer
        places[#places + 1], places[#places + 2] = comer.score, comer.place
        alike = alike and comer.packed == list[1].packed
      end
    end
    comers[key] = nil
    if #list == 0 then return end
    local line = P .. 'held:' .. key
    local is_new = redis.call('EXISTS', line) == 0
    local limits = limits_in(list[1].packed)
    if is_new and alike and not key_without_places(limits, #list) then
      take_places(limits, #list)
      for _, comer in ipairs(list) do admit(get(sub(comer.place, 7)), comer.score, comer.place) end
      return
    end
    each_part(places, function(...) redis.call('ZADD', line, ...) end)
    if is_new then redis.call('SADD', P .. 'heldkeys', key) end
  end

  -- The first of a line, as they were read.
  local heads = {}
  local function read_line(key, count)
    local found = redis.call('ZRANGE', P .. 'held:' .. key, 0, count - 1, 'WITHSCORES')
    heads[key] = { found = found, is_all = #found < 2 * count }
  end

  local function move_to(key, score, place)
    redis.call('ZADD', P .. 'held:' .. key, score, place)
    redis.call('SADD', P .. 'heldkeys', key)
    heads[key] = nil
  end

  -- Whether there may be more to admit.
  local function admit_some(key, head)
    local found, gone, is_full = head.found, {}, false
    for i = 1, #found, 2 do
      local place, score = found[i], found[i + 1]
      local raw = get(sub(place, 7))
      -- A place without its job holds nobody up.
      if raw then
        local limits = limits_in(limits_of(raw))
        local full = key_without_places(limits, 1, key)
        is_full = full == key
        if is_full then break end
        if full then
          move_to(full, score, place)
        else
          take_places(limits, 1)
          admit(raw, score, place)
        end
      end
      gone[#gone + 1] = place
    end
    for from = 1, #gone, BATCH do
      redis.call('ZREM', P .. 'held:' .. key, unpack(gone, from, min(from + BATCH - 1, #gone)))
    end
    if #gone > 0 and head.is_all and not is_full then redis.call('SREM', P .. 'heldkeys', key) end
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
      for i = 1, #heads[key].found, 2 do ids[#ids + 1] = sub(heads[key].found[i], 7) end
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
