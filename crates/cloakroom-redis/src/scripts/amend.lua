-- Changes the same fields in every session of one user, in all or in none.
local p, tag, user = place(1), argument(), argument()
local ops = operations()
local found = sessions_of(p, tag, user)
if #ops > 0 then
  for _, s in ipairs(found) do
    local refused = change(s, fields_of(s), ops)
    if refused then
      return refused
    end
    s.version = text(tonumber(s.version) + 1)
  end
  for _, s in ipairs(found) do
    save(p, s)
  end
end
tell('epoch', user)
return { 'done', text(#found) }
