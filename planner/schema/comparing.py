"""What is told of whom each proposal attends, and of what changes between two runs."""

from __future__ import annotations

from planner.columns import Column, Table
from planner.schema.facts import CVEGEO, KINDS, PEOPLE

C = Column
CHANGES = ("entra", "sale", "se mueve", "cambia")

ATTENDED = Table("attended", C("option", "text", "propuesta", "Propuesta", "Propuesta del plan que atiende", "", "derivado"), (
    C("cvegeo", "text", "cvegeo", "Localidad", "Clave geoestadística de la localidad atendida"),
    C("tier", "text", "tramo", "Tramo", "A quién toma: sin_servicio, a quien hoy no tiene lugar en su unidad; con_servicio, al resto; "
      "lejos_del_hospital, a quien apoya en el traslado o el parto", "", "derivado"),
    C("people", "float", "personas", "Personas", "Personas objetivo que atiende", PEOPLE, "derivado", low=0),
    C("minutes", "float", "minutos", "Minutos", "Minutos entre la localidad y la propuesta; de un núcleo, a su unidad", "min", "derivado",
      null=True, low=0),
))

COMPARED_LOCALITIES = Table("compared_localities", CVEGEO, (
    C("run", "text", "corrida", "Corrida", "Corrida que se compara con la de base", "", "derivado"),
    C("municipality", "text", "nom_mun", "Municipio", "Nombre del municipio"),
    C("name", "text", "nom_loc", "Localidad", "Nombre de la localidad"),
    C("grade", "text", "grado_rezago", "Grado de rezago", "Grado de rezago social", "", "derivado", null=True),
    C("people", "float", "poblacion", "Población objetivo", "Población objetivo en la corrida", PEOPLE, "derivado", low=0),
    C("equivalent_base", "float", "personas_equiv_base", "Equivalentes, base",
      "Personas sin acceso efectivo (equivalentes) en la corrida de base, con su plan", PEOPLE, "derivado", null=True, low=0),
    C("equivalent", "float", "personas_equiv", "Equivalentes", "Personas sin acceso efectivo (equivalentes) en la corrida, con su plan",
      PEOPLE, "derivado", null=True, low=0),
    C("gained", "float", "gana", "Gana", "Personas equivalentes que ganan acceso (menos de 0: lo pierden)", PEOPLE, "derivado", null=True),
    C("first_level_base", "float", "min_primer_nivel_base", "Primer nivel, base", "Minutos al primer nivel en la base, con su plan",
      "min", "derivado", null=True, low=0),
    C("first_level", "float", "min_primer_nivel", "Primer nivel", "Minutos al primer nivel en la corrida, con su plan", "min", "derivado",
      null=True, low=0),
    C("hospital_base", "float", "min_hospital_base", "Hospital, base", "Minutos al hospital en la corrida de base, con su plan", "min",
      "derivado", null=True, low=0),
    C("hospital", "float", "min_hospital", "Hospital", "Minutos al hospital en la corrida, con su plan", "min", "derivado", null=True,
      low=0),
    C("intervention_base", "text", "intervencion_base", "Intervención, base", "Intervención del plan de base que la atiende", "",
      "derivado", null=True),
    C("intervention", "text", "intervencion", "Intervención", "Intervención del plan que la atiende", "", "derivado", null=True),
))

COMPARED_PROPOSALS = Table("compared_proposals", C("id", "text", "id", "Propuesta", "Identificador", "", "derivado"), (
    C("run", "text", "corrida", "Corrida", "Corrida que se compara con la de base", "", "derivado"),
    C("change", "text", "cambio", "Cambio", "Qué pasa con ella de la base a la corrida: " + ", ".join(CHANGES), "", "derivado",
      values=CHANGES),
    C("former", "text", "antes", "Antes", "Propuesta de la base de la que viene (se mueve)", "", "derivado", null=True),
    C("kind", "text", "tipo", "Tipo", ", ".join(KINDS), "", "derivado", values=KINDS),
    C("name", "text", "nombre", "Nombre", "Nombre de la sede, unidad o base"),
    C("annual_mxn", "float", "costo_anual", "Costo anual", "Operación más inversión anualizada, a precios del año de su corrida", "MXN/año",
      "supuesto", low=0),
    C("people", "float", "personas", "Personas", "Personas objetivo que atiende en su plan", PEOPLE, "derivado", low=0),
    C("reason", "text", "motivo", "Motivo", "Por qué entra, sale, se mueve o cambia", "", "derivado"),
))

COMPARED_UNITS = Table("compared_units", C("clues", "text", "clues", "CLUES", "Clave de la unidad"), (
    C("run", "text", "corrida", "Corrida", "Corrida que se compara con la de base", "", "derivado"),
    C("name", "text", "nombre", "Nombre", "Nombre de la unidad"),
    C("load_base", "float", "carga_base", "Carga, base", "Personas usuarias que le corresponden en la base, con su plan",
      "personas usuarias", "derivado", low=0),
    C("load", "float", "carga", "Carga", "Personas usuarias que le corresponden en la corrida, con su plan", "personas usuarias",
      "derivado", low=0),
    C("rho_base", "float", "suficiencia_base", "Suficiencia, base", "min(1, capacidad / carga) en la base, con su plan", "", "derivado",
      null=True, low=0, high=1),
    C("rho", "float", "suficiencia", "Suficiencia", "min(1, capacidad / carga) en la corrida, con su plan", "", "derivado", null=True,
      low=0, high=1),
))
