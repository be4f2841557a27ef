-- copy: jobs whole, with all they left, in the order of arrival; then the requests that joined (C7, C11).
--
-- Keys    {p}:turns and its chunks   {p}:j:<id> rows   {p}:files:<id> {p}:steps:<id> {p}:mail:<id> {p}:awaits:<id> hashes
--         {p}:attempts:<id> {p}:logs:<id> lists
--         {p}:alias hash of id to job and fingerprint   {p}:aliases zset by the moment to go
-- In      ARGV[3] 'jobs' or 'aliases', [4] the turn or the rank to begin with, [5] how many, [6] bytes
-- Out     where to go on or '', then for each job id, row, files, runs, lines, steps, mail, names; for each alias id, value, moment
-- Cost    one MGET for each 256 turns, more for jobs with keys of their own
-- Beware  reads only; chunks whose jobs are gone give a page of none that goes on all the same

local from, limit, budget = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local reply = { '' }

local function give(id, raw)
  local weight, at = #raw, #reply
  reply[at + 1], reply[at + 2] = id, whole(id, raw)
  weight = #reply[at + 2]
  local files, runs, lines, steps, mail, awaits = {}, {}, {}, {}, {}, {}
  if bit.band(byte(raw, 2), TRAILS) > 0 then
    files = redis.call('HGETALL', P .. 'files:' .. id)
    runs = redis.call('LRANGE', P .. 'attempts:' .. id, 0, -1)
    lines = redis.call('LRANGE', P .. 'logs:' .. id, 0, -1)
    steps = redis.call('HGETALL', P .. 'steps:' .. id)
    mail = redis.call('HGETALL', P .. 'mail:' .. id)
    awaits = redis.call('HGETALL', P .. 'awaits:' .. id)
    for _, list in ipairs({ runs, lines, steps, mail }) do
      for _, one in ipairs(list) do weight = weight + #one end
    end
  end
  for i, part in ipairs({ files, runs, lines, steps, mail, awaits }) do reply[at + 2 + i] = part end
  return weight
end

local function copy_jobs()
  local chunks = redis.call('ZRANGE', P .. 'turns', floor(from / CHUNK), '+inf',
    'BYSCORE', 'LIMIT', 0, math.ceil(limit / CHUNK) + 1)
  local count, weight = 0, 0
  for _, chunk in ipairs(chunks) do
    local seats, ids, first = redis.call('GET', P .. 'turns:' .. chunk) or '', {}, chunk * CHUNK
    for at = max(from - first, 0), #seats / 16 - 1 do ids[#ids + 1] = sub(seats, at * 16 + 1, at * 16 + 16) end
    fetch(ids)
    for i, id in ipairs(ids) do
      local own = first + max(from - first, 0) + i - 1
      local raw = rows[id]
      -- The id of one that was erased may belong to another by now.
      if raw and sub(raw, 7, 12) == six(own) then
        if count >= limit or weight >= budget then
          reply[1] = tostring(own)
          return
        end
        count, weight = count + 1, weight + give(id, raw)
      end
    end
    reply[1] = tostring(first + CHUNK)
  end
end

local function copy_aliases()
  local found = redis.call('ZRANGE', P .. 'aliases', from, from + limit - 1, 'WITHSCORES')
  for i = 1, #found, 2 do
    local value = redis.call('HGET', P .. 'alias', found[i])
    if value then
      reply[#reply + 1], reply[#reply + 2] = found[i], value
      reply[#reply + 1] = six(tonumber(found[i + 1]))
    end
  end
  if #found == 2 * limit then reply[1] = tostring(from + limit) end
end

if ARGV[3] == 'jobs' then copy_jobs() else copy_aliases() end
return reply
