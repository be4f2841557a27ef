-- alike: lines of keys in which all say the same, so that whoever is given a place need not be read (C17).
--
-- Keys    {p}:alike hash of key to their queue and what they say of keys   {p}:heldkeys set of keys with a line
-- In      keys whose lines are looked at
-- Out     what all in a line say; false where they differ, or name another key too
-- Cost    one look a call
-- Beware  who comes to a line and says something else strikes it off, and it stays off until the line has ended

local alike = {}
local function load_alike(keys)
  local unread = {}
  for _, key in ipairs(keys) do
    if alike[key] == nil then unread[#unread + 1] = key end
  end
  each_part(unread, function(...)
    local found = redis.call('HMGET', P .. 'alike', ...)
    for i, key in ipairs({ ... }) do alike[key] = found[i] end
  end)
end

local function set_alike(key, said)
  if said then redis.call('HSET', P .. 'alike', key, said) else redis.call('HDEL', P .. 'alike', key) end
  alike[key] = said
end

local function close_line(key)
  redis.call('SREM', P .. 'heldkeys', key)
  set_alike(key, false)
end
