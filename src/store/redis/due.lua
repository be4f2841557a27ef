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
  local ids, moved = {}, {}
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
    elseif raw then
      local marks, rev = unstruct('>BI4', raw, 2)
      local at = bit.band(marks, LIFE) > 0 and WITH_LIFE or HEAD
      put(id, pack('>BBI4', READY, bit.bor(marks, LINED), rev + 1) .. sub(raw, 7))
      local priority, of = unstruct('>Bc8', raw, at)
      local queue, score = kind(of).queue, score_of(priority, from_six(raw, 13))
      local packed = limits_of(raw)
      local key = packed and first_key(packed)
      if key then
        come(key, queue, score, places[i], packed)
      else
        stand_in_line(queue, score, places[i])
      end
      moved[queue] = (moved[queue] or 0) + 1
    end
  end
  for queue, count in pairs(moved) do
    tally(queue, SCHEDULED, -count)
    tally(queue, READY, count)
  end
  redis.call('ZREMRANGEBYRANK', P .. 'scheduled', 0, #places - 1)
  rung.ready, rung.change = true, true
  first = redis.call('ZRANGE', P .. 'scheduled', 0, 0, 'WITHSCORES')
  return tonumber(first[2])
end
