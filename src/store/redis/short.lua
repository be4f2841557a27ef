-- short: the short line of a queue: who came to stand in its line in this call (C7, C17).
--
-- Keys    {p}:line:<queue> zsets of those that may be claimed, by priority and moment
-- In      jobs that may be claimed from now on
-- Out     nothing before `write_short_lines`, which ends every call
-- Cost    one command a queue and call, none for those that are claimed in the same call
-- Beware  nobody is claimed from a short line while others stand in the stored one: it is written first

-- Scores hold both, exactly: moments stay below this until the year 2248.
local AGES = 8796093022208
local function score_of(priority, moment) return priority * AGES + moment end

-- As texts: Redis writes a number of ours with seventeen digits, each time.
local score_text
do
  local texts = {}
  function score_text(score)
    local text = texts[score]
    if not text then
      text = string.format('%d', score)
      texts[score] = text
    end
    return text
  end
end

local stand_in_line, short_line, shorten, write_short_lines
do
  local lines = {}

  -- What joins others is only written.
  local function open_line(queue)
    local joins = redis.call('EXISTS', P .. 'line:' .. queue) == 1
    local line = { entries = joins and {}, scores = {}, turns = {}, ids = {}, places = {} }
    lines[queue] = line
    return line
  end

  -- By a score as number or text.
  function stand_in_line(queue, score, place)
    local line = lines[queue] or open_line(queue)
    local entries = line.entries
    if entries then
      local at = #entries
      entries[at + 1], entries[at + 2] = score_text(score), place
      return
    end
    local scores = line.scores
    local at = #scores + 1
    scores[at], line.places[at] = tonumber(score), place
    line.turns[at], line.ids[at] = unstruct('>I6c16', place)
  end

  -- Of score and turn one number each, as those are compared without a function of ours; nothing where they lie too
  -- far from each other.
  local EXACT = 2 ^ 53
  local function numbers_of(scores, turns)
    local low, high, first, last = scores[1], scores[1], turns[1], turns[1]
    for i = 2, #scores do
      local score, turn = scores[i], turns[i]
      if score < low then low = score elseif score > high then high = score end
      if turn < first then first = turn elseif turn > last then last = turn end
    end
    local width = last - first + 1
    if (high - low + 1) * width > EXACT then return end
    local numbers, at = {}, {}
    for i = 1, #scores do
      local number = (scores[i] - low) * width + turns[i] - first
      if at[number] then return end
      numbers[i], at[number] = number, i
    end
    return numbers, at
  end

  -- Which of them is the first, and so on. Strings would be compared by the server's locale.
  local function order_of(line)
    local scores, turns = line.scores, line.turns
    local numbers, at = numbers_of(scores, turns)
    local order = {}
    if numbers then
      table.sort(numbers)
      for i = 1, #numbers do order[i] = at[numbers[i]] end
      return order
    end
    for i = 1, #scores do order[i] = i end
    table.sort(order, function(one, other)
      if scores[one] ~= scores[other] then return scores[one] < scores[other] end
      return turns[one] < turns[other]
    end)
    return order
  end

  local function write_line(queue, line)
    local entries = line.entries or {}
    for i, place in ipairs(line.places) do
      entries[2 * i - 1], entries[2 * i] = score_text(line.scores[i]), place
    end
    each_part(entries, function(...) redis.call('ZADD', P .. 'line:' .. queue, ...) end)
    rung.ready = true
  end

  function write_short_lines()
    for queue, line in pairs(lines) do write_line(queue, line) end
    lines = {}
  end

  -- The first places of it, their ids and priorities; nothing where they have to join others in the stored line.
  function short_line(queue, most)
    local line = lines[queue]
    if not line then return end
    if line.entries or redis.call('EXISTS', P .. 'line:' .. queue) == 1 then
      write_line(queue, line)
      lines[queue] = nil
      return
    end
    local order, places, ids, priorities = order_of(line), {}, {}, {}
    for i = 1, min(most, #order) do
      local from = order[i]
      local score = line.scores[from]
      places[i], ids[i], priorities[i] = line.places[from], line.ids[from], (score - score % AGES) / AGES
    end
    line.order = order
    return places, ids, priorities
  end

  -- By so many who leave it at its head.
  function shorten(queue, count)
    local line = lines[queue]
    lines[queue] = nil
    for i = count + 1, #line.order do
      local from = line.order[i]
      stand_in_line(queue, line.scores[from], line.places[from])
    end
  end
end
