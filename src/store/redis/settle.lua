-- settle: the one exit from running: writes outcomes down under their fences (C1, C3, C12).
--
-- Keys    {p}:receipts:<worker> hash of n to entries   {p}:open:<worker> hash of n to how many still run
--         {p}:asked:<worker> set   {p}:files:<id> hash   {p}:files zset by expiry   {p}:drops zset of id and section by moment   what line.lua names
-- In      the worker; for each settlement: id, fence 6 bytes, state B, span I6, lengths I4 of what is
--         left in the row and of what is rare: a(ttempt), c(ounter), b(egun), d(rops), f(iles), h(ooks and other jobs
--         it brings), q(uiet: what it waits for), m(essage to its caller)
-- Out     a letter a settlement: d(one) a(lready) s(tale) g(one)
-- Cost    for plain completions a share of MGET and MSET; else some commands
-- Beware  the fence is checked here and nowhere else; a job named twice is settled by the first

local closed = {}

local function answer(raw, fence)
  if not raw then return 'g' end
  local is_current = bit.band(byte(raw, 2), LIFE) > 0 and sub(raw, 41, 46) == fence
  return (is_current and byte(raw, 1) ~= RUNNING) and 'a' or 's'
end

local function keep_files(id, row, files)
  local at = 1
  while at <= #files do
    local name, keep_ms, size, rest
    name, keep_ms, size, at = unstruct('>Hc0I6H', files, at)
    rest = sub(files, at, at + size - 1)
    at = at + size
    local expires_at = now + keep_ms
    redis.call('HSET', P .. 'files:' .. id, name, six(row.fence) .. six(expires_at) .. rest)
    redis.call('ZADD', P .. 'files', expires_at, id .. name)
    mark(row, TRAILS, true)
  end
end

local function keep_drops(id, row, drops, from)
  for at = 1, #drops, 7 do
    redis.call('ZADD', P .. 'drops', from + from_six(drops, at + 1), id .. sub(drops, at, at))
    mark(row, TRAILS, true)
  end
end

-- Whatever is more than a plain completion.
local function settle_fully(id, raw, to, ms, left, rare)
  local row, given = read(raw), sections(rare, 1)
  local limits = row.has.l
  local leavings = sections(left, 1)
  row.rev = row.rev + 1
  local asked = marked(row, ASKED)
  if given.a then remember(id, row, given.a, leavings.e) end
  if given.c then
    local counts = { unstruct('>I4I4I4', row.has.n or string.rep('\0', 12)) }
    counts[byte(given.c)] = counts[byte(given.c)] + 1
    row.has.n = pack('>I4I4I4', counts[1], counts[2], counts[3])
  end
  if given.b then row.has.x = nil end
  if asked then redis.call('SREM', P .. 'asked:' .. row.worker, id) end

  if to >= COMPLETED then
    for _, code in ipairs({ 'R', 'e', 'r', 'W' }) do set(id, row, code, leavings[code]) end
    if given.f then keep_files(id, row, given.f) end
    if given.d then keep_drops(id, row, given.d, now) end
    stop(id, row, to, ms)
  else
    if to == SCHEDULED then
      row.run_at = now + ((asked or ms <= 0) and 0 or ms)
      set(id, row, 'e', leavings.e)
    end
    local waits = given.q and not asked and suspend(id, row, given.q)
    if waits then
      rung.change = true
    elseif to == READY or asked or given.q or (to == SCHEDULED and ms <= 0) then
      if given.q then row.run_at = now end
      -- Who is ready again at once keeps its places.
      row.has.l = nil
      line_up(id, row)
      row.has.l = limits
      rung.ready = true
    elseif to == SCHEDULED then
      schedule(id, row)
      rung.ready = true
    else
      park(id, row, 'handler')
    end
  end
  if limits then
    if row.state ~= READY then give_places(limits, 1) end
    if row.state < COMPLETED then count_pending(limits, 1) end
  end
  write(id, row)
  local brought, at = given.h or '', 1
  while at <= #brought do
    local follower, size, more, from = unstruct('>c16I4I4', brought, at)
    at = from + size + more
    arrive(follower, sub(brought, from, from + size - 1), sub(brought, from + size, at - 1))
  end
  if given.m then tell(given.m) end
  if to == CANCELLED then ask_children(id) end
  return row.state
end

-- A first run that completes: nearly all do, so its head need not be unpacked.
local RUNS, COMPLETES = pack('>BBI4', RUNNING, LIFE, 2), pack('>BBI4', COMPLETED, LIFE, 3)
-- The same of an item of a batch, and of one with keys of its own or limits.
local RUNS_IN, COMPLETES_IN = pack('>BBI4', RUNNING, LIFE + PLACED, 2), pack('>BBI4', COMPLETED, LIFE + PLACED, 3)
local TRAILS_RUNS, TRAILS_COMPLETES = pack('>BBI4', RUNNING, LIFE + TRAILS, 2), pack('>BBI4', COMPLETED, LIFE + TRAILS, 3)
local COMPLETES_AS = { [RUNS] = COMPLETES, [RUNS_IN] = COMPLETES_IN, [TRAILS_RUNS] = TRAILS_COMPLETES }

local function settle_one(id, raw, blob, at)
  local _, _, to, ms, left_size, rare_size, from = unstruct('>c16c6BI6I4I4', blob, at)
  local left = sub(blob, from, from + left_size - 1)
  local marks, rev = unstruct('>BI4', raw, 2)
  if to ~= COMPLETED or rare_size > 0 or left_size > LARGE
    or bit.band(marks, ASKED + HOLDS + MARRED) > 0 then
    from = from + left_size
    return settle_fully(id, raw, to, ms, left, sub(blob, from, from + rare_size - 1))
  end
  put(id, pack('>BBI4', COMPLETED, left_size > 0 and bit.bor(marks, MARRED) or marks, rev + 1)
    .. sub(raw, 7, 46) .. six(kept_until(ms)) .. sub(raw, 53, 58) .. NOW .. sub(raw, WITH_LIFE) .. left)
  keep(ms, sub(raw, 7, 12) .. id)
  local limits = limits_of(raw)
  if limits then give_places(limits, 1) end
  if bit.band(marks, PLACED) > 0 then
    tell_end(place_in(raw), COMPLETED, left_size > 0 and sections(left, 1).W, 1)
  end
  return COMPLETED
end

local function settle(worker, blob)
  local answers, ids, starts, at, size = {}, {}, {}, 1, #blob
  local fences, plain = {}, {}
  while at <= size do
    local i = #ids + 1
    starts[i] = at
    local to, ms, left, rare
    ids[i], fences[i], to, ms, left, rare, at = unstruct('>c16c6Bc6I4I4', blob, at)
    if to == COMPLETED and left + rare == 0 then plain[i] = ms end
    at = at + left + rare
  end
  local keys = fetch(ids)

  local moved = {}
  local spans, untils = {}, {}
  -- What they said of keys, as it came, and how many of each gave their places up.
  local freed, gave = {}, {}
  for i, id in ipairs(ids) do
    local raw, fence = rows[id], fences[i]
    local head, turn, moments, holder, of, n, started, what
    if raw and byte(raw, 1) == RUNNING then
      head, turn, moments, holder, of, n, started, what = unstruct('>c6c6c12c16c6c6c6xxxxxxxc8', raw)
    end
    if holder ~= worker or of ~= fence then
      answers[i] = answer(raw, fence)
    else
      local state, ms = COMPLETED, plain[i]
      local completes = ms and COMPLETES_AS[head]
      if completes then
        spans[ms] = spans[ms] or from_six(ms)
        untils[ms] = untils[ms] or six(kept_until(spans[ms]))
        if head == RUNS_IN then tell_end(place_in(raw), COMPLETED, false, 1) end
        local limits = head == TRAILS_RUNS and limits_at(raw, WITH_LIFE)
        if limits then
          local count = gave[limits]
          if not count then freed[#freed + 1] = limits end
          gave[limits] = (count or 0) + 1
        end
        local fresh = completes .. turn .. moments .. holder .. of .. untils[ms] .. started .. NOW
          .. sub(raw, WITH_LIFE)
        local last = #changed
        rows[id], changed[last + 1], changed[last + 2] = fresh, keys[i], fresh
        keep(spans[ms], turn .. id)
      else
        state = settle_one(id, raw, blob, starts[i])
      end
      local counts = moved[what]
      if not counts then
        counts = {}
        moved[what] = counts
      end
      counts[state] = (counts[state] or 0) + 1
      closed[n] = (closed[n] or 0) + 1
      answers[i] = 'd'
    end
  end
  for _, limits in ipairs(freed) do give_places(limits, gave[limits]) end
  for what, counts in pairs(moved) do
    local queue = kind(what).queue
    for state, count in pairs(counts) do
      tally(queue, RUNNING, -count)
      tally(queue, state, count)
    end
    rung.change = true
  end
  return table.concat(answers)
end

-- A receipt whose jobs are all settled goes, but for the last two: those may be asked for again.
local function drop_receipt(worker, n)
  redis.call('HDEL', P .. 'open:' .. worker, n)
  redis.call('HDEL', P .. 'receipts:' .. worker, n)
end

local function close_receipts(worker, second)
  for packed, count in pairs(closed) do
    local n = from_six(packed)
    local open = redis.call('HINCRBY', P .. 'open:' .. worker, n, -count)
    if open <= 0 and tonumber(n) < second then drop_receipt(worker, n) end
  end
end
