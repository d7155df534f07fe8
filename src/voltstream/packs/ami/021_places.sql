-- Where meters are, for maps. No view asks for it.

ALTER TABLE meter_registry ADD COLUMN lon DOUBLE PRECISION;
ALTER TABLE meter_registry ADD COLUMN lat DOUBLE PRECISION;

COMMENT ON COLUMN meter_registry.lon IS 'Longitude; NULL: it is on no map';
COMMENT ON COLUMN meter_registry.lat IS 'Latitude';
