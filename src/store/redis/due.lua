-- due: makes ready what is due, a bounded number a call, and says when the next job is (C9).
--
-- Keys    {p}:scheduled zset by moment, of those that wait too   {p}:line:<queue> zsets
-- In      the store's time
-- Out     the moment the next job is due, or nothing
-- Cost    one look; for each job that became due a share of MGET, ZADD and MSET
-- Beware  more than a thousand due at once take several calls: the next is due at once

local DUE_MAX = 1000

local function promote()
  local first = redis.call('ZRANGE', P .. 'scheduled', 0, 0, 'WITHSCORES')
  if not first[2] or tonumber(first[2]) > now then return tonumber(first[2]) end
  local places = redis.call('ZRANGE', P .. 'scheduled', '-inf', now,
    'BYSCORE', 'LIMIT', 0, DUE_MAX)
  local ids, lines = {}, {}
  for i, place in ipairs(places) do ids[i] = sub(place, 7) end
  fetch(ids)
  for i, id in ipairs(ids) do
    local raw = rows[id]
    -- A place without its job is for verify to tell of; nobody else is held up by it.
    if raw and byte(raw, 1) == WAITING then
      local row = read(raw)
      local at = from_six(row.has.z)
      -- Struck off below, with all of these.
      row.has.z = nil
      wake(id, row, at)
      write(id, row)
    elseif raw and bit.band(byte(raw, 2), TRAILS) > 0 and read(raw).has.l then
      local row = read(raw)
      row.rev = row.rev + 1
      line_up(id, row)
      tally(kind(row.kind).queue, SCHEDULED, -1)
      tally(kind(row.kind).queue, READY, 1)
      write(id, row)
    elseif raw then
      local marks, rev = unstruct('>BI4', raw, 2)
      local at = bit.band(marks, LIFE) > 0 and WITH_LIFE or HEAD
      put(id, pack('>BBI4', READY, bit.bor(marks, LINED), rev + 1) .. sub(raw, 7))
      local priority, of = unstruct('>Bc8', raw, at)
      local queue = kind(of).queue
      local line = lines[queue]
      if not line then
        line = {}
        lines[queue] = line
      end
      line[#line + 1] = priority * AGES + from_six(raw, 13)
      line[#line + 1] = places[i]
    end
  end
  for queue, line in pairs(lines) do
    redis.call('ZADD', P .. 'line:' .. queue, unpack(line))
    tally(queue, SCHEDULED, -#line / 2)
    tally(queue, READY, #line / 2)
  end
  redis.call('ZREMRANGEBYRANK', P .. 'scheduled', 0, #places - 1)
  rung.ready, rung.change = true, true
  first = redis.call('ZRANGE', P .. 'scheduled', 0, 0, 'WITHSCORES')
  return tonumber(first[2])
end
