-- retry: gives failed and cancelled jobs another life under the same id (C8, C10).
--
-- Keys    what revive.lua names
-- In      ARGV[3] ids; ARGV[4] another input, if any
-- Out     a byte a job, as revive.lua
-- Cost    some commands a job
-- Beware  an id that is named twice has been given its life the second time

local answers = {}
open_head()
for at = 1, #ARGV[3], 16 do answers[#answers + 1] = revive(sub(ARGV[3], at, at + 15), ARGV[4]) end
finish_batches()
seat()
finish()
return table.concat(answers)
