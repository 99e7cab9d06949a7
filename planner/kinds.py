"""The values that things may take: modes of travel, levels of care, kinds of intervention, grades of rezago social."""

from typing import Literal

Mode = Literal["vehiculo", "a_pie", "transporte_publico"]
Level = Literal["primer_nivel", "hospital"]
Severity = Literal["error", "aviso", "nota"]
# New rural unit, further nucleus, vacant post filled, new mobile unit, brigade, today's circuit extended, obstetric centre, ambulance.
Kind = Literal["umr", "nucleo", "plaza", "umm", "brigada", "ruta", "caro", "ambulancia"]
MODES: tuple[Mode, ...] = ("a_pie", "vehiculo", "transporte_publico")
LEVELS: tuple[Level, ...] = ("primer_nivel", "hospital")
FOREIGN = "vecina"  # the role of a neighbour's unit: it attends as it does today, and nothing is planned in it
GRADES = ("Muy bajo", "Bajo", "Medio", "Alto", "Muy alto")
