-- How many sessions of the route are live or dormant, and how many of them have a user.
local p = place(1)
local sessions, signed_in = 0, 0
each_session(p, function() return true end, function(s)
  if s and now < over_at(s) then
    sessions = sessions + 1
    if s.tag ~= '-' then
      signed_in = signed_in + 1
    end
  end
end)
return { 'done', text(sessions), text(signed_in) }
