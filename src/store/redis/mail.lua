-- mail: mailboxes, and jobs that wait for what is posted to them (C14).
--
-- Keys    {p}:mail:<id> hash of mark, name, NUL and key to when, which and value; the mark is `!` where it is urgent;
--         its field # counts them
--         {p}:awaits:<id> hash of name to 1 where all of several are awaited, to 0 where one is enough
--         {p}:scheduled zset: those that wake by themselves stand there too
-- In      an id and its row
-- Out     the row changed; whoever calls writes it
-- Cost    some commands, and one look at the names in the mailbox
-- Beware  names that a job waited for stay until it waits again: only those of one that waits count

local function rest(id, row, what, wakes_at)
  row.state = WAITING
  row.has.w = what
  redis.call('ZADD', P .. 'waiting', 0, row.turn .. id)
  if wakes_at > 0 then
    row.has.z = six(wakes_at)
    redis.call('ZADD', P .. 'scheduled', wakes_at, row.turn .. id)
  end
end

-- False when what it waits for is there: then it need not wait.
local function suspend(id, row, wait)
  local wakes_at, what, at = unstruct('>I6Hc0', wait)
  local key, there = P .. 'awaits:' .. id, {}
  redis.call('DEL', key)
  for _, field in ipairs(redis.call('HKEYS', P .. 'mail:' .. id)) do
    local name = string.match(field, '^.([^%z]*)')
    if there[name] ~= '!' then there[name] = sub(field, 1, 1) end
  end
  local lacking, all, enough = {}, false, wakes_at > 0 and wakes_at <= now
  local all_there = true
  while at <= #wait do
    local for_all, name
    for_all, name, at = unstruct('>BHc0', wait, at)
    local found = there[name]
    -- 2: it is one of all, and enough by itself.
    if for_all > 0 then all = true end
    if found and (for_all ~= 1 or found == '!') then enough = true end
    if not found then
      if for_all > 0 then all_there = false end
      lacking[#lacking + 1], lacking[#lacking + 2] = name, for_all % 2
    end
  end
  if enough or (all and all_there) then return false end
  if #lacking > 0 then
    redis.call('HSET', key, unpack(lacking))
    mark(row, TRAILS, true)
  end
  rest(id, row, what, wakes_at)
  return true
end

-- One that waits, or is not due yet, is ready.
local function wake(id, row, at)
  local queue = kind(row.kind).queue
  tally(queue, row.state, -1)
  leave(id, row)
  row.run_at, row.rev = at, row.rev + 1
  line_up(id, row)
  tally(queue, READY, 1)
  rung.ready, rung.change = true, true
end

-- Under either mark: of one name and key there is one.
local function has_letter(id, field)
  local box = P .. 'mail:' .. id
  return redis.call('HEXISTS', box, '.' .. field) + redis.call('HEXISTS', box, '!' .. field) > 0
end

local function is_enough(id, name, urgent, for_all)
  if urgent or for_all == '0' then return true end
  local key = P .. 'awaits:' .. id
  redis.call('HDEL', key, name)
  for _, other in ipairs(redis.call('HVALS', key)) do
    if other == '1' then return false end
  end
  return true
end

-- A letter that is not there yet; one that its job waits for wakes it.
local function put_letter(id, row, urgent, name, of, value)
  local box = P .. 'mail:' .. id
  -- Its own count, which never goes back.
  local packed = NOW .. pack('>I4', redis.call('HINCRBY', box, '#', 1)) .. value
  redis.call('HSET', box, (urgent and '!' or '.') .. name .. '\0' .. of, packed)
  mark(row, TRAILS, true)
  if row.has.l then row.has.m = '' end
  local for_all = row.state == WAITING and redis.call('HGET', P .. 'awaits:' .. id, name)
  if for_all and is_enough(id, name, urgent, for_all) then wake(id, row, now) end
end
