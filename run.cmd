@echo off
rem The two commands of README.md on Windows:  run demo   and   run test
setlocal
cd /d "%~dp0"
if "%1"=="demo" goto setup
if "%1"=="test" goto setup
echo usage: run demo ^| run test 1>&2
exit /b 2
:setup
if not exist .venv\Scripts\python.exe (
  echo Installing the locked Python packages ^(some 260 MB to download^) 1>&2
  py -3 -m venv .venv || ( echo Python 3.11 or newer is needed: install it from python.org and tick "py launcher". 1>&2 & exit /b 1 )
  .venv\Scripts\python -m pip install -q --require-hashes -r requirements.txt || exit /b 1
  .venv\Scripts\python -m pip install -q --no-deps --no-build-isolation -e . || exit /b 1
)
if "%1"=="demo" (
  .venv\Scripts\iconnect demo %2 %3 %4 %5
  exit /b %errorlevel%
)
.venv\Scripts\ruff check . || exit /b 1
.venv\Scripts\ruff format --check -q . || exit /b 1
.venv\Scripts\mypy || exit /b 1
.venv\Scripts\lint-imports || exit /b 1
.venv\Scripts\python -m pytest -q %2 %3 %4 %5
