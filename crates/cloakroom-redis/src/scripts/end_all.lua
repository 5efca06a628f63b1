-- Ends every session of one user but one.
local p, tag, user, except = place(1), argument(), argument(), argument()
local ended = ending()
local leaving = {}
each_session(p, function(other) return other == tag end, function(s, digest, tomb)
  if not s then
    settle(p, digest, tomb)
  elseif s.user == user and s.id ~= except and now < over_at(s) then
    leaving[#leaving + 1] = s
  end
end)
local answer = { 'done' }
for _, s in ipairs(leaving) do
  finish(p, s, ended)
  answer[#answer + 1] = s.id
  answer[#answer + 1] = s.digest
end
return answer
