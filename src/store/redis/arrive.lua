-- arrive: puts a job into the store, or finds the one it repeats: for callers, and for hooks (C8, C12).
--
-- Keys    {p}:head hash of the next turn and the latest moment of a list   {p}:turns zset of chunks
--         {p}:turns:<chunk> ids of 256 turns   {p}:unique hash of value to id   {p}:tag:<tag> zset by turn
--         {p}:alias hash of id to job and fingerprint   {p}:aliases zset by the moment to go
--         {p}:hooks:<subject> {p}:children:<parent> sets   {p}:fair:<priority>:<queue> hash of tenant to its latest
--         lines of keys, as held.lua names them: for who takes turns some of them are looked at
-- In      an id, the row from its priority on, and sections that say more; none for a plain job
-- Out     a byte and an id: 0 stored, 1 joined, 2 ID_TAKEN, 3 UNIQUE_TAKEN, 4 JOB_ERASED, 5 LIMIT_REACHED
-- Cost    a few commands for a job that says more; a share of three for one that does not
-- Beware  a list must stay sorted by moment: while the clock is behind it, jobs go to the line

local CHUNK = 256
local ALIAS_MS = 86400000

local turn, clock
local arrivals, lists = {}, {}
-- Of those that were refused, in their order: the key of which as many wait as may.
local full_keys = {}

-- Read where jobs come in, which most calls bring none.
local function open_head()
  if turn then return end
  local head = redis.call('HMGET', P .. 'head', 'turn', 'clock')
  turn, clock = tonumber(head[1]) or 0, tonumber(head[2]) or 0
end

local function take_turn(id)
  arrivals[#arrivals + 1] = id
  turn = turn + 1
  return six(turn - 1)
end

local function push(queue, priority, place)
  local key = P .. 'ready:' .. priority .. ':' .. queue
  local places = lists[key]
  if not places then
    places = {}
    lists[key] = places
  end
  places[#places + 1] = place
end

local function seat()
  if #arrivals == 0 then return end
  local at, from = turn - #arrivals, 1
  while from <= #arrivals do
    local chunk = floor(at / CHUNK)
    local upto = min(from + CHUNK - 1 - at % CHUNK, #arrivals)
    if at % CHUNK == 0 then redis.call('ZADD', P .. 'turns', chunk, chunk) end
    redis.call('APPEND', P .. 'turns:' .. chunk, table.concat(arrivals, '', from, upto))
    at, from = at + upto - from + 1, upto + 1
  end
  local listed = false
  for key, places in pairs(lists) do
    listed = true
    for i = 1, #places, BATCH do
      redis.call('RPUSH', key, unpack(places, i, min(i + BATCH - 1, #places)))
    end
  end
  if listed and now > clock then clock = now end
  redis.call('HSET', P .. 'head', 'turn', turn, 'clock', clock)
  arrivals, lists = {}, {}
end

-- The moment of the first of those that wait for a place, as far as some keys tell.
local KEYS_LOOKED_AT = 20
local function first_held(queue, priority)
  local first
  for _, key in ipairs(redis.call('SRANDMEMBER', P .. 'heldkeys', KEYS_LOOKED_AT)) do
    local found = redis.call('ZRANGE', P .. 'held:' .. key, priority * AGES, (priority + 1) * AGES - 1, 'BYSCORE',
      'LIMIT', 0, 1, 'WITHSCORES')
    local raw = found[1] and get(sub(found[1], 7))
    local at = raw and (bit.band(byte(raw, 2), LIFE) > 0 and WITH_LIFE or HEAD)
    local what = raw and kind(sub(raw, at + 1, at + 8))
    if what and what.queue == queue then
      local moment = tonumber(found[2]) - priority * AGES
      first = min(first or moment, moment)
    end
  end
  return first
end

-- The virtual moment by which a job of a tenant leaves: beside the first of the line, after its tenant's latest.
local fair_heads, fair_latest = {}, {}
local function turn_of_tenant(queue, priority, tenant)
  local line_of = priority .. ':' .. queue
  local head = fair_heads[line_of]
  if not head then
    local first = redis.call('ZRANGE', P .. 'line:' .. queue, priority * AGES, (priority + 1) * AGES - 1, 'BYSCORE',
      'LIMIT', 0, 1, 'WITHSCORES')
    head = first[2] and tonumber(first[2]) - priority * AGES
    local listed = redis.call('LINDEX', P .. 'ready:' .. line_of, 0)
    local raw = listed and get(sub(listed, 7))
    if raw and byte(raw, 1) == READY then head = min(head or from_six(raw, 13), from_six(raw, 13)) end
    local held = first_held(queue, priority)
    if held then head = min(head or held, held) end
    -- Nobody has waited: nobody is owed a turn.
    if not head then redis.call('DEL', P .. 'fair:' .. line_of) end
    head = head or now
    fair_heads[line_of] = head
  end
  local key = line_of .. '\0' .. tenant
  local latest = fair_latest[key] or tonumber(redis.call('HGET', P .. 'fair:' .. line_of, tenant) or -1)
  latest = max(latest + 1, head)
  fair_latest[key] = latest
  redis.call('HSET', P .. 'fair:' .. line_of, tenant, latest)
  return latest
end

local function store(id, body, spec)
  local row = { marks = 0, rev = 1, created_at = NOW, worker = NOBODY, fence = 0, receipt = 0 }
  row.started_at, row.ended_at, row.turn = NEVER, NEVER, take_turn(id)
  local at
  row.priority, row.kind, row.tenant, at = unstruct('>Bc8Hc0', body)
  local has = sections(body, at)
  row.has = has
  has.u, has.k, has.p, has.t, has.s, has.c, has.l = spec.u, spec.k, spec.p, spec.t, spec.s, spec.c, spec.l
  row.run_at = max(spec.A and from_six(spec.A) or now + (spec.T and from_six(spec.T) or 0), now)
  if spec.X then has.x = six(row.run_at + from_six(spec.X)) end
  if spec.D then has.d = six(now + from_six(spec.D)) end
  if has.u then
    redis.call('HSET', P .. 'unique', has.u, id)
    mark(row, HOLDS, true)
  end
  if has.s then
    redis.call('SADD', P .. 'hooks:' .. has.s, id)
    mark(row, TRAILS, true)
  end
  if has.l then
    count_pending(has.l, 1)
    mark(row, TRAILS, true)
  end
  if has.b then
    tell_batch(sub(has.b, 1, 16), 'items', 1)
    mark(row, PLACED, true)
  end
  if has.c then
    redis.call('SADD', P .. 'children:' .. sub(has.c, 1, 16), id)
    mark(row, TRAILS, true)
  end
  local tag_at = 1
  while has.t and tag_at <= #has.t do
    local tag
    tag, tag_at = unstruct('>Hc0', has.t, tag_at)
    redis.call('ZADD', P .. 'tag:' .. tag, from_six(row.turn), id)
    mark(row, TRAILS, true)
  end
  local queue = kind(row.kind).queue
  if row.run_at > now then
    schedule(id, row)
  elseif now < clock or has.l or spec.f then
    if spec.f then row.run_at = turn_of_tenant(queue, row.priority, row.tenant) end
    line_up(id, row)
  else
    row.state = READY
    push(queue, row.priority, row.turn .. id)
  end
  write(id, row)
  tally(queue, 'accepted', 1)
  tally(queue, row.state, 1)
  rung.ready = true
end

-- One with a place to wait for that says nothing more: nearly all limited ones do, so their rows are only spliced.
local function store_limited(id, body, packed)
  local key = first_key(packed)
  local priority, what, tenant_size = unstruct('>Bc8H', body)
  if not key or behind(body, 12 + tenant_size) <= #body then return false end
  local own, queue = take_turn(id), kind(what).queue
  put(id, pack('>BBI4', READY, LINED + TRAILS, 1) .. own .. NOW .. NOW .. body .. pack('>c1I4', 'l', #packed) .. packed)
  count_pending(packed, 1)
  come(key, queue, score_of(priority, now), own .. id, packed)
  tally(queue, 'accepted', 1)
  tally(queue, READY, 1)
  rung.ready = true
  return true
end

-- What jobs say more: many of a call say the same.
local said
do
  local heard = {}
  function said(spec)
    local given = heard[spec]
    if given then return given end
    given = sections(spec, 1)
    given.only = given.l and next(given, next(given)) == nil
    heard[spec] = given
    return given
  end
end

local function join(id, given)
  local alias = given.p and redis.call('HGET', P .. 'alias', id)
  local known = alias and sub(alias, 1, 16)
  -- One that names itself is of a job that was erased.
  if known and (known == id or get(known)) then
    if sub(alias, 17) ~= given.p then return '\2' .. id end
    return (known == id and '\4' or '\1') .. known
  end
  local held = given.u and redis.call('HGET', P .. 'unique', given.u)
  if not held then return end
  if given.F then return '\3' .. held end
  if given.p then
    redis.call('HSET', P .. 'alias', id, held .. given.p)
    redis.call('ZADD', P .. 'aliases', now + ALIAS_MS, id)
  end
  return '\1' .. held
end

-- `strictly`: it is refused when as many wait as may; what an end brings with it never is.
local function arrive(id, body, spec, strictly)
  open_head()
  local given = said(spec)
  local there = get(id)
  if there then
    if read(there).has.p ~= given.p then return '\2' .. id end
    return (given.p and '\1' or '\0') .. id
  end
  local joined = join(id, given)
  if joined then return joined end
  local full = strictly and given.l and full_key(given.l)
  if full then
    full_keys[#full_keys + 1] = full
    return '\5' .. id
  end
  if not (given.only and store_limited(id, body, given.l)) then store(id, body, given) end
  return '\0' .. id
end
