-- post: puts letters into mailboxes, each once under its key; a job that waits for it becomes ready (C14).
--
-- Keys    what mail.lua and line.lua name
-- In      ARGV[3] for each letter: id, marks B (1 urgent, 2 only if it is waited for), name, key, length I4, value;
--         ARGV[4] how many a mailbox takes
-- Out     a byte a letter: p(osted) a(lready) i(dle) f(ull) g(one), or the state of a job that has ended
-- Cost    some commands a letter
-- Beware  a repeat is told so whatever has become of the job

local blob, mail_max, at, answers = ARGV[3], tonumber(ARGV[4]), 1, {}

local function post(id, marks, name, of, value)
  local raw = get(id)
  if not raw then return 'g' end
  if has_letter(id, name .. '\0' .. of) then return 'a' end
  local row = read(raw)
  if row.state >= COMPLETED then return char(row.state) end
  if bit.band(marks, 2) > 0
    and not (row.state == WAITING and redis.call('HGET', P .. 'awaits:' .. id, name)) then return 'i' end
  if redis.call('HLEN', P .. 'mail:' .. id) > mail_max then return 'f' end
  put_letter(id, row, bit.band(marks, 1) > 0, name, of, value)
  write(id, row)
  return 'p'
end

while at <= #blob do
  local id, marks, name, of, value
  id, marks, name, of, value, at = unstruct('>c16BHc0Hc0I4c0', blob, at)
  answers[#answers + 1] = post(id, marks, name, of, value)
end
finish()
return table.concat(answers)
