"""The countries of the made-up company, with names that are common there, among others."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Place:
    """A country of the company: its time zone, its languages, and names to make people from."""

    country: str
    zone: str
    languages: tuple[str, ...]
    first: tuple[str, ...]
    last: tuple[str, ...]


def _place(country: str, zone: str, languages: str, first: str, last: str) -> Place:
    return Place(country, zone, tuple(languages.split()), tuple(first.split()), tuple(last.split()))


PLACES: Final = (
    _place(
        "GB",
        "Europe/London",
        "en",
        "Amelia Callum Freya Rhys Imogen Dylan Zainab Kofi Harriet Ewan Priya Tobias",
        "Ashdown Birch Carrick Dunmore Ellery Farrow Gwilliam Hathersage Mensah Okafor Rahman Winslow",
    ),
    _place(
        "DE",
        "Europe/Berlin",
        "de",
        "Anneke Björn Clara Deniz Elif Friedrich Greta Henrik Jörg Katrin Leyla Matthias",
        "Ahrens Brückner Demir Eichhorn Färber Grünwald Hoffmeister Kaya Lindner Moosbach Reuß Yilmaz",
    ),
    _place(
        "FR",
        "Europe/Paris",
        "fr",
        "Aïcha Bastien Camille Dorian Élodie Fabrice Inès Jérôme Léa Mamadou Noémie Théo",
        "Aubertin Bellerose Chauvet Diallo Dufresne Garnier Lemaire Marchand Ndiaye Pelletier Roussel Vasseur",
    ),
    _place(
        "ES",
        "Europe/Madrid",
        "es",
        "Ainhoa Bruno Carla Diego Elena Gonzalo Irene Jordi Lucía Mateo Nerea Pablo",
        "Arroyo Bermejo Carrasco Domènech Echeverría Fuentes Ibáñez Lozano Montero Peña Quiroga Zubiri",
    ),
    _place(
        "PL",
        "Europe/Warsaw",
        "pl",
        "Agnieszka Bartosz Celina Dominik Ewa Filip Grażyna Hubert Jagoda Łukasz Milena Wojciech",
        "Bielak Czarnota Dąbek Gajda Jaworski Kłos Leśniak Mroczek Ostrowicz Sikora Wrona Żuraw",
    ),
    _place(
        "IN",
        "Asia/Kolkata",
        "hi",
        "Aarav Bhavna Chetan Divya Farhan Gayatri Harsh Ishita Kavya Manoj Nandini Rohan",
        "Agarwal Banerjee Chaudhary Deshpande Iyer Joshi Kulkarni Menon Nair Qureshi Reddy Sengupta",
    ),
    _place(
        "US",
        "America/New_York",
        "en",
        "Avery Brandon Carmen Darnell Emily Garrett Hannah Isaiah Jasmine Marcus Nia Wyatt",
        "Abernathy Brooks Calloway Delgado Everett Freeman Holloway Jefferson Lindqvist Navarro Tran Whitaker",
    ),
    _place(
        "BR",
        "America/Sao_Paulo",
        "pt",
        "Beatriz Caio Débora Eduardo Fernanda Gustavo Isadora João Larissa Murilo Renata Thiago",
        "Almeida Barros Cardoso Drummond Esteves Figueiredo Guimarães Lacerda Moreira Pacheco Sampaio Teixeira",
    ),
    _place(
        "ZA",
        "Africa/Johannesburg",
        "en",
        "Anele Buhle Dineo Francois Johan Karabo Lerato Mandla Naledi Pieter Sipho Thandi",
        "Botha Dlamini Fourie Khumalo Mabaso Mokoena Naidoo Nkosi Pretorius Sithole Venter Zulu",
    ),
    _place(
        "SG",
        "Asia/Singapore",
        "zh",
        "Adeline Benedict Chloe Darren Farah Hui Jun Kumar Mei Nurul Siew Wei",
        "Abdullah Chan Goh Ismail Koh Lim Ng Ong Rajan Seah Tan Wong",
    ),
)
