-- held: the lines of keys, where those wait that have no place yet (C17).
--
-- Keys    {p}:held:<key> zset by priority and moment   {p}:heldkeys set of keys with a line
--         {p}:alike hash of key to what all in its line say, where that is the same
--         {p}:line:<queue> zsets of those that may be claimed
-- In      jobs that came ready in this call, and places that came back
-- Out     nothing before `admit_held`, which ends every call
-- Cost    some commands a key and call; a share of ZADD and ZREM for each job that is admitted, whose row stays as it
--         is, and of MGET where those in its line are not alike
-- Beware  a job stands in one line only, and where it stands says which key holds it.
--         When another of its keys turns out to be full it moves to that one's line

-- Of those that were admitted in this call, by id: what they say of keys where they say nothing behind it, else false.
local said_last = {}

local come, give_places, leave_held, admit_held
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

  -- For how many more there is a place, and a key that has none. Who may stay in the line of its `own` does: it
  -- keeps its turn there.
  local function room_in(limits, own)
    local runs, room, full = limits.runs, BATCH, nil
    for i = 1, #runs do
      local limit = runs[i]
      local left = limit.running - counted('places', limit.key)
      if left <= 0 then
        if limit.key == own then return 0, own end
        full = full or limit.key
      end
      room = min(room, max(left, 0))
    end
    return room, full
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
    if redis.call('EXISTS', P .. 'held:' .. key) == 0 then close_line(key) end
    -- Who stands behind it may be content with less.
    free_key(key, 0)
    return true
  end

  -- By priority and moment, in which queue, and its first section.
  local STANDS = '>' .. string.rep('x', 12) .. 'I6xxxxxxBc8Hc0BI4'
  local STANDS_WITH_LIFE = '>' .. string.rep('x', 12) .. 'I6xxxxxx' .. string.rep('x', WITH_LIFE - HEAD) .. 'Bc8Hc0BI4'
  local function standing(raw)
    local has_life = bit.band(byte(raw, 2), LIFE) > 0
    local moment, priority, of, _, code, length, at = unstruct(has_life and STANDS_WITH_LIFE or STANDS, raw)
    return score_of(priority, moment), kind(of).queue, code, length, at
  end

  -- Where all of them find a place, and nobody stands before them, they need not stand in the line.
  local function seat_comers(key)
    local list = comers[key]
    if not list then return end
    local left, places, packed, queue, same = {}, {}, nil, nil, true
    for i, id in ipairs(list.ids) do
      if coming[id] == i then
        left[#left + 1] = i
        places[#places + 1], places[#places + 2] = score_text(list.scores[i]), list.places[i]
        packed, queue = packed or list.packed[i], queue or list.queues[i]
        same = same and list.packed[i] == packed and list.queues[i] == queue
      end
    end
    comers[key] = nil
    if #left == 0 then return end
    local line = P .. 'held:' .. key
    local is_new = redis.call('EXISTS', line) == 0
    local limits = limits_in(packed)
    if is_new and same and #left <= room_in(limits) then
      take_places(limits, #left)
      for _, i in ipairs(left) do stand_in_line(queue, list.scores[i], list.places[i]) end
      return
    end
    each_part(places, function(...) redis.call('ZADD', line, ...) end)
    local said = same and #limits.runs == 1 and pack('>Hc0', #queue, queue) .. packed
    if is_new then redis.call('SADD', P .. 'heldkeys', key) end
    if is_new or (alike[key] and alike[key] ~= said) then set_alike(key, is_new and said) end
  end

  -- The first of a line, as they were read.
  local heads = {}
  local function read_line(key, count)
    local line, found, scores, ids = P .. 'held:' .. key, {}, {}, {}
    if alike[key] then
      local both = redis.call('ZRANGE', line, 0, count - 1, 'WITHSCORES')
      for i = 1, #both / 2 do found[i], scores[i] = both[2 * i - 1], both[2 * i] end
    else
      found = redis.call('ZRANGE', line, 0, count - 1)
      for i = 1, #found do ids[i] = sub(found[i], 7) end
    end
    heads[key] = { said = alike[key], found = found, scores = scores, ids = ids, is_all = #found < count }
  end

  local function move_to(key, raw, place)
    redis.call('ZADD', P .. 'held:' .. key, score_text((standing(raw))), place)
    redis.call('SADD', P .. 'heldkeys', key)
    set_alike(key, false)
    heads[key] = nil
  end

  -- So many of its head are gone. Whether there may be more to admit.
  local function leave_line(key, head, gone, is_full)
    if gone > 0 then redis.call('ZREMRANGEBYRANK', P .. 'held:' .. key, 0, gone - 1) end
    if gone > 0 and head.is_all and not is_full then close_line(key) end
    return not head.is_all and not is_full
  end

  local function admit_alike(key, head)
    local queue, at = unstruct('>Hc0', head.said)
    local limits = limits_in(sub(head.said, at))
    local count = min(room_in(limits, key), #head.found)
    for i = 1, count do stand_in_line(queue, head.scores[i], head.found[i]) end
    take_places(limits, count)
    return leave_line(key, head, count, count < #head.found)
  end

  -- Most of them are alike all the same: what they take is counted for all of them.
  local function admit_some(key, head)
    local found, ids, gone, is_full = head.found, head.ids, 0, false
    local latest, limits, room, taken = nil, nil, 0, 0
    for i = 1, #found do
      local id = ids[i]
      local raw = rows[id]
      if raw == nil then raw = get(id) end
      -- A place without its job holds nobody up.
      if raw then
        local score, queue, code, length, at = standing(raw)
        local packed, upto = limits_among(raw, code, length, at)
        if room == 0 or packed ~= latest then
          if taken > 0 then take_places(limits, taken) end
          latest, limits, taken = packed, limits_in(packed), 0
          local full
          room, full = room_in(limits, key)
          is_full = full == key
          if is_full then break end
          if full then move_to(full, raw, found[i]) end
        end
        if room > 0 then
          room, taken = room - 1, taken + 1
          stand_in_line(queue, score, found[i])
          said_last[id] = upto > #raw and packed
        end
      end
      gone = i
    end
    if taken > 0 then take_places(limits, taken) end
    return leave_line(key, head, gone, is_full)
  end

  -- Hands places on, of the keys whose places or lines have changed. Of each line as many are read as places
  -- came back, and the next.
  function admit_held()
    local ids = {}
    load_counts('places', freed_keys)
    load_alike(freed_keys)
    for _, key in ipairs(freed_keys) do
      seat_comers(key)
      read_line(key, min(freed[key] + 1, BATCH))
      local own = heads[key].ids
      for i = 1, #own do ids[#ids + 1] = own[i] end
    end
    fetch(ids)
    for _, key in ipairs(freed_keys) do
      local count, head = freed[key] + 1, nil
      repeat
        if not heads[key] then read_line(key, min(count, BATCH)) end
        head, heads[key], count = heads[key], nil, 2 * count
        local admit = head.said and admit_alike or admit_some
      until not admit(key, head)
    end
    freed, freed_keys, coming = {}, {}, {}
  end
end
-- Before counts are written.
table.insert(before_finish, 1, admit_held)
table.insert(before_finish, 2, write_short_lines)
