-- batch: what a call has done to items of batches, gathered; whether a batch begins its items (C16).
--
-- Keys    {p}:batch:<id> hash of what it is and how many items became what
-- In      the batch section of a row: id 16 bytes, index I4
-- Out     nothing before over.lua writes it down
-- Cost    one look a batch and call
-- Beware  the section stands second in a row: splicing moves leave it where it is

local told = {}

local function tell_batch(batch, field, count)
  local changes = told[batch]
  if not changes then
    changes = {}
    told[batch] = changes
  end
  changes[field] = (changes[field] or 0) + count
end

local BECAME = { [COMPLETED] = 'completed', [FAILED] = 'failed', [CANCELLED] = 'cancelled' }

local function tell_end(place, state, with_errors, count)
  local batch = sub(place, 1, 16)
  tell_batch(batch, BECAME[state], count)
  if with_errors then tell_batch(batch, 'warned', count) end
end

-- Of a row as it lies here.
local function place_in(raw)
  local at = bit.band(byte(raw, 2), LIFE) > 0 and WITH_LIFE or HEAD
  at = at + 11 + unstruct('>H', raw, at + 9)
  local length = sub(raw, at + 1, at + 4)
  at = at + 5 + (length == ABSENT and 0 or unstruct('>I4', length))
  return sub(raw, at + 5, at + 24)
end

-- Hardly ever is any.
local stopped, is_any = {}, nil
local function is_stopped(batch)
  if is_any == nil then is_any = redis.call('EXISTS', P .. 'batches:stopped') == 1 end
  if not is_any then return false end
  if stopped[batch] == nil then stopped[batch] = redis.call('HGET', P .. 'batch:' .. batch, 'stopped') end
  return stopped[batch] and true or false
end
