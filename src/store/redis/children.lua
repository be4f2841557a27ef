-- children: what jobs that were called say of their end, and those whose caller is cancelled (C15).
--
-- Keys    {p}:children:<id> set of those that a job called   what mail.lua names
-- In      a word: id 16 bytes, mark B, name, key, length I4, value; the id of one that was cancelled
-- Out     rows written
-- Cost    some commands a word; one a child
-- Beware  who is asked to end and does not run is ready: whoever takes it settles it as cancelled

-- Taken in whatever has become of the caller; to nobody it is dropped.
local function tell(word)
  local id, urgent, name, of, value = unstruct('>c16BHc0Hc0I4c0', word)
  local raw = get(id)
  if not raw or has_letter(id, name .. '\0' .. of) then return end
  local row = read(raw)
  put_letter(id, row, urgent == 1, name, of, value)
  write(id, row)
end

local function ask_child(id)
  local raw = get(id)
  if not raw then return end
  local row = read(raw)
  if row.state >= COMPLETED or marked(row, ASKED) then return end
  mark(row, ASKED, true)
  rung.change = true
  if row.state == WAITING or row.state == SCHEDULED then
    wake(id, row, now)
  else
    row.rev = row.rev + 1
    if row.state == RUNNING then
      redis.call('SADD', P .. 'asked:' .. row.worker, id)
      rung.cancel = true
    end
  end
  write(id, row)
end

local function ask_children(parent)
  for _, id in ipairs(redis.call('SMEMBERS', P .. 'children:' .. parent)) do ask_child(id) end
end
