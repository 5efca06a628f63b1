"""The least that an application with Flask-Login is; nothing is set that need not be."""
import os

from flask import Flask, redirect, request
from flask_login import LoginManager, UserMixin, current_user, login_required, login_user, logout_user

app = Flask(__name__)
app.secret_key = os.environ["SECRET_KEY"]
logins = LoginManager(app)
notes = []


@logins.user_loader
def load(name):
    user = UserMixin()
    user.id = name
    return user


@app.get("/")
def home():
    if current_user.is_authenticated:
        return f"""<p>Welcome, {current_user.id}; notes: {len(notes)}</p>
        <form method=post action=/note><input name=text><button>Keep</button></form>
        <a href=/logout>Sign out</a>"""
    return """<form method=post action=/login><input name=name><input name=password type=password>
        <input name=remember type=checkbox><button>Sign in</button></form>"""


@app.post("/login")
def login():
    if request.form["name"] in ("ada", "bob") and request.form["password"] == os.environ["PASSWORD"]:
        login_user(load(request.form["name"]), remember="remember" in request.form)
    return redirect("/")


@app.post("/note")
@login_required
def note():
    notes.append(request.form["text"])
    return redirect("/")


@app.get("/logout")
def logout():
    logout_user()
    return redirect("/")
