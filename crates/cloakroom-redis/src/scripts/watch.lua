-- What stands in the feed from a place on, and where the feed ends. KEYS[1] is the feed.
feed = KEYS[1]
local from, count = argument(), argument()
if redis.call('EXISTS', feed) == 0 then
  begin_feed()
end
local info, facts = redis.call('XINFO', 'STREAM', feed), {}
for at = 1, #info, 2 do
  facts[info[at]] = info[at + 1]
end
local answer = { 'done', facts['last-generated-id'], facts['max-deleted-entry-id'] }
if from ~= '' then
  for _, entry in ipairs(redis.call('XRANGE', feed, from, '+', 'COUNT', count)) do
    local id, fields = entry[1], entry[2]
    answer[#answer + 1] = { id, unpack(fields) }
  end
end
return answer
