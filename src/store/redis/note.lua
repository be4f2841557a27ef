-- note: progress, log lines and steps of running jobs, under their fences only (C3, C13).
--
-- Keys    {p}:logs:<id> list of packed lines   {p}:steps:<id> hash of name to when, which and value
-- In      ARGV[3] worker; ARGV[4] for each note: id, fence 6 bytes, lengths I4 of sections and of lines;
--         ARGV[5] kinds of the jobs that are called
-- Out     a letter a note, as settle.lua
-- Cost    one row a note, one command for its lines
-- Beware  a job keeps at most 1 000 lines: later ones are dropped

local LINES_MAX = 1000
local lacking = lacks_kind(ARGV[5])
if lacking then return lacking end
local worker, blob, at, answers = ARGV[3], ARGV[4], 1, {}

local function log(id, lines)
  local key = P .. 'logs:' .. id
  local room = LINES_MAX - redis.call('LLEN', key)
  local from, list = 1, {}
  while from <= #lines and #list < room do
    local line
    line, from = unstruct('>I4c0', lines, from)
    list[#list + 1] = line
  end
  if #list > 0 then redis.call('RPUSH', key, unpack(list)) end
end

-- One that is there stays as it is. Headway: what crashed before counts no more.
local function record(id, row, step)
  local key = P .. 'steps:' .. id
  local name, from = unstruct('>Hc0', step)
  local packed = NOW .. pack('>I4', redis.call('HLEN', key)) .. sub(step, from)
  if redis.call('HSETNX', key, name, packed) == 0 then return end
  if row.has.n then row.has.n = sub(row.has.n, 1, 4) .. pack('>I4', 0) .. sub(row.has.n, 9) end
  mark(row, TRAILS, true)
  if row.has.l then row.has.m = '' end
  row.rev = row.rev + 1
  rung.change = true
end

local function in_hex(id)
  return (string.gsub(id, '.', function(one) return string.format('%02x', byte(one)) end))
end

-- What others said under this name was for a caller that had another input.
local function has_said(caller, name, id)
  local box, found = P .. 'mail:' .. caller, false
  for _, field in ipairs(redis.call('HKEYS', box)) do
    local of, who = string.match(field, '^.([^%z]*)%z(%S*)')
    if of == name then
      if string.gsub(who, '-', '') == in_hex(id) then found = true else redis.call('HDEL', box, field) end
    end
  end
  return found
end

-- One that has ended of which its caller knows nothing is given another life.
local function call(caller, name, child)
  local id, size, _, from = unstruct('>c16I4I4', child)
  arrive(id, sub(child, from, from + size - 1), sub(child, from + size))
  if has_said(caller, name, id) or revive(id, nil, true) ~= 'r' then return end
  local row = read(get(id))
  if row.has.i ~= '' then return end
  -- Its own was dropped; it is called again on the same.
  local body = sub(child, from, from + size - 1)
  local _, _, _, at = unstruct('>Bc8Hc0', body)
  set(id, row, 'i', sections(body, at).i)
  write(id, row)
end

while at <= #blob do
  local id, fence, more, size, from = unstruct('>c16c6I4I4', blob, at)
  local raw = get(id)
  at = from + more + size
  if not raw or byte(raw, 1) ~= RUNNING or sub(raw, 25, 46) ~= worker .. fence then
    answers[#answers + 1] = answer(raw, fence)
  else
    local row, given = read(raw), sections(sub(blob, from, from + more - 1), 1)
    if given.P then
      set(id, row, 'P', given.P)
      row.rev = row.rev + 1
      rung.change = true
    end
    if given.S then record(id, row, given.S) end
    if size > 0 then
      log(id, sub(blob, from + more, at - 1))
      mark(row, TRAILS, true)
    end
    write(id, row)
    if given.C then call(id, (unstruct('>Hc0', given.S)), given.C) end
    answers[#answers + 1] = 'd'
  end
end
finish_batches()
seat()
finish()
return table.concat(answers)
