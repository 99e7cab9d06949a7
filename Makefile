# Both verbs do all set-up themselves; make.py is the same on Windows: `python make.py app`.
PYTHON ?= python3

.PHONY: app test setup
app test setup:
	@$(PYTHON) make.py $@
